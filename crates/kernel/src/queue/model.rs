//! Jobs as the worker sees them.

use std::time::Duration;

use serde_json::value::RawValue;
use sqlx::FromRow;

/// The right to settle one job, until its lease ends and somebody claims it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// The job.
    pub id: i64,
    /// The fencing token: no two claims of a job have the same.
    pub lease: i32,
}

/// A job that was claimed, with everything that its run needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right to settle it.
    pub claim: Claim,
    /// Its [`Job::KIND`](super::Job::KIND), or one that only another build knows.
    pub kind: String,
    /// Its payload, which another build may have written.
    pub payload: Box<RawValue>,
    /// The number of this run, from 1.
    pub attempt: u16,
    /// The number of the last run.
    pub max_attempts: u16,
    /// The time limit of the run.
    pub timeout: Duration,
    /// The W3C `traceparent` it was enqueued with.
    pub traceparent: Option<String>,
    /// True when the worker vanished during the last attempt: the claim marked the job dead, and it
    /// is not to run.
    pub dead: bool,
}

/// The state in which the worker leaves a claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done; its row is deleted.
    Done,
    /// It failed; it runs again after this long.
    Retry {
        /// From now.
        after: Duration,
        /// The cause.
        error: String,
    },
    /// It asked to run again after this long; its attempt is not charged.
    Snooze {
        /// From now.
        after: Duration,
    },
    /// It failed for the last time; its row stays.
    Dead {
        /// The cause.
        error: String,
    },
    /// It was not run, or not to its end; any worker may take it at once, and its attempt is not
    /// charged.
    HandBack,
}

/// The state of one queue.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct QueueStats {
    /// [`Queue::as_str`], or a queue that only another build knows.
    pub queue: String,
    /// Jobs that may run and that no worker runs.
    pub due: i64,
    /// The time that the oldest of those has been waiting, in seconds.
    pub oldest_seconds: f64,
    /// Jobs that run, or wait for their time.
    pub later: i64,
    /// Dead jobs that are not pruned yet.
    pub dead: i64,
}
