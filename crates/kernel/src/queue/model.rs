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

/// A job that was claimed, with what running it needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right to settle it.
    pub claim: Claim,
    /// Its [`Job::KIND`](super::Job::KIND), or one that only another build knows.
    pub kind: String,
    /// Its payload, which another build may have written.
    pub payload: Box<RawValue>,
    /// Which run this is, from 1.
    pub attempt: u16,
    /// Which run is the last.
    pub max_attempts: u16,
    /// What the run may take.
    pub timeout: Duration,
    /// The W3C `traceparent` it was enqueued with.
    pub traceparent: Option<String>,
    /// The worker vanished during its last attempt: the claim buried it, and it is not to run.
    pub dead: bool,
}

/// How a claimed job is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done; its row goes.
    Done,
    /// It failed; it runs again after this long.
    Retry {
        /// From now.
        after: Duration,
        /// What went wrong.
        error: String,
    },
    /// It asked to run again after this long; its attempt is not charged.
    Snooze {
        /// From now.
        after: Duration,
    },
    /// It failed for the last time; its row stays.
    Dead {
        /// What went wrong.
        error: String,
    },
    /// It was not run, or not to its end; anybody may take it at once, and its attempt is not
    /// charged.
    HandBack,
}

/// How one queue stands.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct QueueStats {
    /// [`Queue::as_str`], or a queue that only another build knows.
    pub queue: String,
    /// Jobs that may run and that nobody runs.
    pub due: i64,
    /// How long the oldest of those has been waiting, in seconds.
    pub oldest_seconds: f64,
    /// Jobs that run, or wait for their time.
    pub later: i64,
    /// Jobs that were given up, and are not pruned yet.
    pub dead: i64,
}
