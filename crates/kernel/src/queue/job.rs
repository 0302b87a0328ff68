//! Kinds of background work.

use std::{fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

/// A kind of background work; the value is its payload.
///
/// Architecture invariant: a handler may run twice for one payload, also at the same time. Its
/// effects are idempotent or fenced.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stable name in the `jobs` table; `<area>.<verb>`.
    const KIND: &'static str;
    /// The queue whose slots it shares.
    const QUEUE: Queue = Queue::Default;
    /// The runs that may fail, or vanish with their worker, before the job is dead.
    const MAX_ATTEMPTS: u16 = 20;
    /// The time limit of a run; a run that takes longer has failed.
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// Returns the longest wait between the `failed`-th failure and the next run; the worker takes
    /// up to half of it off, so that jobs that failed together do not come back together. By
    /// default 1 s, doubling, up to an hour.
    fn backoff(failed: u16) -> Duration {
        exponential(failed)
    }
}

/// Returns 1 s after the first failure, twice as long after each further one, an hour at most.
pub fn exponential(failed: u16) -> Duration {
    let doublings = u32::from(failed.saturating_sub(1)).min(12);
    Duration::from_secs(1 << doublings).min(Duration::from_secs(3600))
}

/// A queue. Jobs of one queue wait for each other's slots, and never for those of another queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Quick work on our own database.
    Default,
    /// Calls to other people's servers, which may be slow.
    Effects,
}

impl Queue {
    /// All queues.
    pub const ALL: [Queue; 2] = [Queue::Default, Queue::Effects];

    /// Returns the name in the `jobs` table and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Queue::Default => "default",
            Queue::Effects => "effects",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The end of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is to run again after this long. No attempt is charged.
    Snooze(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_an_hour() {
        let waits: Vec<u64> = [1, 2, 3, 12, 13, u16::MAX].map(|failed| exponential(failed).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 2048, 3600, 3600]);
        assert_eq!(exponential(0), exponential(1));
    }
}
