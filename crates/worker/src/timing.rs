//! All intervals of the worker, and functions that wait.

use std::time::Duration;

use kernel::Ids;
use tokio_util::sync::CancellationToken;

/// The worker's intervals. Tests shorten them; nothing else changes the defaults.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// The length of the lease. A standby waits this long after the holder vanished.
    pub lease: Duration,
    /// The interval at which the holder renews the lease.
    pub lease_renewal: Duration,
    /// The interval at which a standby asks for the lease.
    pub standby: Duration,
    /// The length of a claim. The jobs of a vanished worker run again after this long.
    pub claim: Duration,
    /// The interval at which claims are renewed.
    pub claim_renewal: Duration,
    /// The interval at which an empty queue is polled when no hint arrives.
    pub poll: Duration,
    /// The interval at which the scheduler looks for slots to take.
    pub schedule: Duration,
    /// The time that running jobs have to end once the worker stops.
    pub drain: Duration,
    /// The time that the last settlements have to be written after that.
    pub flush: Duration,
    /// The interval at which the queues are measured.
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

/// The timeout of one of the worker's own statements, since a frozen database never answers.
pub(crate) const STATEMENT: Duration = Duration::from_secs(5);

/// Runs one of the worker's own statements, bounded by [`STATEMENT`].
pub(crate) async fn bounded<T>(statement: impl Future<Output = kernel::Result<T>>) -> kernel::Result<T> {
    match tokio::time::timeout(STATEMENT, statement).await {
        Ok(result) => result,
        Err(elapsed) => Err(kernel::Error::unavailable(elapsed)),
    }
}

/// Returns a random time between half of `at_most` and all of it, so that attempts that failed
/// together do not come back together.
pub(crate) fn jittered(ids: &Ids, at_most: Duration) -> Duration {
    let random = f64::from(u32::from_le_bytes(ids.bytes())) / f64::from(u32::MAX);
    at_most.mul_f64(0.5 + random / 2.0)
}

/// Sleeps for `wait`. Returns `false` when `stop` came first.
pub(crate) async fn rest(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}
