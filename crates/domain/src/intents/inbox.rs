//! The inbox, from which a recipient pulls its deliveries.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::{
    Core,
    caller::{Authorized, Caller, Signer, allow},
    checks::Checks,
    error::{Code, Codes, Result},
    ports::Topic,
};

use super::{
    limits::{DEFAULT_LEASE_SECONDS, MAX_BATCH, MAX_WAIT},
    model::{DeliveryRow, Lease},
    settle::check_lease_seconds,
    store,
};

/// The polling interval of a sleeper, between these two, for hints that are lost.
const POLL_FLOOR: std::ops::Range<Duration> = Duration::from_millis(1_000)..Duration::from_millis(2_000);

/// A request for deliveries.
#[derive(Debug, Clone, Copy)]
pub struct Poll {
    /// The most deliveries to lease, 1 to 100.
    pub max: u16,
    /// The longest wait for the first, at most 30 seconds.
    pub wait: Duration,
    /// The length of the lease, in seconds.
    pub lease_seconds: Option<u32>,
}

/// The codes of [`poll`].
pub const POLL_ERRORS: Codes = &[&[Code::OutOfRange]];

/// Leases the deliveries that are due for the signing agent, the oldest first. Waits for the first
/// delivery as long as `poll` says, or until `leave` completes.
///
/// # Errors
/// [`POLL_ERRORS`].
pub async fn poll(
    core: &Core,
    by: &Authorized<allow::IntentsRead, Signer>,
    poll: Poll,
    leave: impl Future<Output = ()>,
) -> Result<Vec<Lease>> {
    let lease = check(poll)?;
    // Before the first look, so that a commit between the look and the wait is not missed.
    let notified = core.wake.subscribe(Topic::Inbox(by.agent));
    let deadline = tokio::time::Instant::now() + poll.wait;
    tokio::pin!(leave);
    // The first look consumes the nonce, in the transaction that leases.
    let mut caller = Caller::from(by);
    loop {
        let leases = lease_due(core, caller, by, poll.max, lease).await?;
        if !leases.is_empty() || tokio::time::Instant::now() >= deadline {
            return Ok(leases);
        }
        caller = caller.further();
        let floor = tokio::time::Instant::now() + floor(core);
        tokio::select! {
            () = notified.notified() => {}
            () = tokio::time::sleep_until(floor.min(deadline)) => {}
            () = &mut leave => return Ok(leases),
        }
    }
}

async fn lease_due(
    core: &Core,
    caller: Caller<'_>,
    by: &Signer,
    max: u16,
    lease: TimeDelta,
) -> Result<Vec<Lease>> {
    let token = core.ids.next();
    core.write(caller, async |unit| {
        let now = unit.now();
        let lease_expires_at = now + lease;
        let rows = store::lease_due(unit, by, max, now, lease_expires_at, token).await?;
        let leased = |row: DeliveryRow| {
            Ok(Lease { lease_token: token, lease_expires_at, delivery: row.delivery(now)? })
        };
        rows.into_iter().map(leased).collect()
    })
    .await
}

fn check(poll: Poll) -> Result<TimeDelta> {
    let mut checks = Checks::new();
    if !(1..=MAX_BATCH).contains(&poll.max) {
        checks.broken(Code::OutOfRange, "max", format!("must be 1 to {MAX_BATCH}, was {}", poll.max));
    }
    if poll.wait > MAX_WAIT {
        checks.broken(Code::OutOfRange, "wait", format!("must be at most {} seconds", MAX_WAIT.as_secs()));
    }
    let lease = poll.lease_seconds.unwrap_or(DEFAULT_LEASE_SECONDS);
    let lease = check_lease_seconds(&mut checks, "lease_seconds", lease);
    checks.finish()?;
    Ok(lease)
}

/// Returns a random interval, so that the sleepers of many replicas do not look in step.
fn floor(core: &Core) -> Duration {
    let [spread] = core.ids.bytes::<1>();
    POLL_FLOOR.start + (POLL_FLOOR.end - POLL_FLOOR.start) * u32::from(spread) / 256
}
