//! A recipient pulls its deliveries.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DEFAULT_LEASE_SECONDS, Delivery, MAX_BATCH, MAX_WAIT, store};
use kernel::{
    Core,
    caller::Signer,
    checks::Checks,
    error::{Code, Result},
    ids::LeaseToken,
    ports::Topic,
};

/// How often a sleeper looks by itself, between these two: the floor under hints that are lost.
const POLL_FLOOR: std::ops::Range<Duration> = Duration::from_millis(1_000)..Duration::from_millis(2_000);

/// What a recipient asks of its inbox.
#[derive(Debug, Clone, Copy)]
pub struct Poll {
    /// The most deliveries to lease, 1 to 100.
    pub max: u16,
    /// How long to wait for the first, at most 30 seconds.
    pub wait: Duration,
    /// How long the lease is to last, in seconds.
    pub lease_seconds: Option<u32>,
}

/// A delivery, and the right to settle it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Lease {
    /// What proves the right; each lease has another.
    pub lease_token: LeaseToken,
    /// When the right ends, and the delivery may be leased again.
    pub lease_expires_at: DateTime<Utc>,
    /// What was delivered.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// Leases what is due for the signing agent, oldest first; waits for the first delivery as long as `poll` says, or until `leave` completes.
///
/// # Errors
/// Values out of range; [`Code::NonceReplayed`]; those of the database.
pub async fn poll(core: &Core, by: &Signer, poll: Poll, leave: impl Future<Output = ()>) -> Result<Vec<Lease>> {
    let lease = check(poll)?;
    by.begin(core).await?.commit().await?;

    // Taken before the first look, so that what is committed between the look and the wait still rings it.
    let bell = core.wake.bell(Topic::Inbox(by.agent));
    let deadline = tokio::time::Instant::now() + poll.wait;
    tokio::pin!(leave);
    loop {
        let leases = lease_due(core, by, poll.max, lease).await?;
        if !leases.is_empty() || tokio::time::Instant::now() >= deadline {
            return Ok(leases);
        }
        let floor = tokio::time::Instant::now() + floor(core);
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep_until(floor.min(deadline)) => {}
            () = &mut leave => return Ok(leases),
        }
    }
}

async fn lease_due(core: &Core, by: &Signer, max: u16, lease: TimeDelta) -> Result<Vec<Lease>> {
    let now = core.clock.now();
    let token = core.ids.next();
    let lease_expires_at = now + lease;
    let mut tx = core.db.begin(by.principal.caller()).await?;
    let rows = store::lease_due(&mut tx, by, max, now, lease_expires_at, token).await?;
    tx.commit().await?;
    let turn =
        |row: super::delivery::Row| Ok(Lease { lease_token: token, lease_expires_at, delivery: row.delivery(now)? });
    rows.into_iter().map(turn).collect()
}

fn check(poll: Poll) -> Result<TimeDelta> {
    let mut checks = Checks::new();
    if !(1..=MAX_BATCH).contains(&poll.max) {
        checks.broken(Code::OutOfRange, "max", format!("must be 1 to {MAX_BATCH}, was {}", poll.max));
    }
    if poll.wait > MAX_WAIT {
        checks.broken(Code::OutOfRange, "wait", format!("must be at most {} seconds", MAX_WAIT.as_secs()));
    }
    let lease = super::settle::check_lease_seconds(
        &mut checks,
        "lease_seconds",
        poll.lease_seconds.unwrap_or(DEFAULT_LEASE_SECONDS),
    );
    checks.finish()?;
    Ok(lease)
}

/// Spread, so that the sleepers of many replicas do not look in step.
fn floor(core: &Core) -> Duration {
    let [spread] = core.ids.bytes::<1>();
    POLL_FLOOR.start + (POLL_FLOOR.end - POLL_FLOOR.start) * u32::from(spread) / 256
}
