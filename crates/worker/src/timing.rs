//! Every interval of the worker in one place, and waiting.

use std::time::Duration;

use kernel::Ids;
use tokio_util::sync::CancellationToken;

/// The worker's intervals. Tests shorten them; nothing else changes the defaults.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long the worker's lease lasts when it is not renewed: how long a standby waits after the
    /// holder vanished.
    pub lease: Duration,
    /// How often the holder renews the lease.
    pub lease_renewal: Duration,
    /// How often a standby asks for the lease.
    pub standby: Duration,
    /// How long a claimed job is ours when the claim is not renewed: how soon a vanished worker's
    /// jobs run again.
    pub claim: Duration,
    /// How often claims are renewed.
    pub claim_renewal: Duration,
    /// How long a queue that was found empty rests when no hint arrives.
    pub poll: Duration,
    /// How often the schedule looks for slots to take.
    pub schedule: Duration,
    /// How long running jobs may take to end once the worker stops.
    pub drain: Duration,
    /// How long the last settlements may take to be written after that.
    pub flush: Duration,
    /// How often the queues are measured.
    pub stats: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            lease_renewal: Duration::from_secs(3),
            standby: Duration::from_secs(1),
            claim: Duration::from_secs(20),
            claim_renewal: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            schedule: Duration::from_secs(1),
            // Longer than the push of a delivery takes. With the other bounds of a shutdown it
            // makes 29 s.
            drain: Duration::from_secs(16),
            flush: Duration::from_secs(2),
            stats: Duration::from_secs(15),
        }
    }
}

/// How long one statement of the worker's own may take before it counts as failed: a database that
/// is frozen answers nothing at all.
pub(crate) const STATEMENT: Duration = Duration::from_secs(5);

/// Bounds one of the worker's own statements.
pub(crate) async fn bounded<T>(statement: impl Future<Output = kernel::Result<T>>) -> kernel::Result<T> {
    match tokio::time::timeout(STATEMENT, statement).await {
        Ok(result) => result,
        Err(elapsed) => Err(kernel::Error::unavailable(elapsed)),
    }
}

/// Returns between half of `at_most` and all of it, so that what failed together does not return
/// together.
pub(crate) fn jittered(ids: &Ids, at_most: Duration) -> Duration {
    let random = f64::from(u32::from_le_bytes(ids.bytes())) / f64::from(u32::MAX);
    at_most.mul_f64(0.5 + random / 2.0)
}

/// Sleeps for `wait`. `false` when `stop` came first.
pub(crate) async fn rest(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}
