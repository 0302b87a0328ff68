//! A job on its way into the queue.

use serde_json::value::{RawValue, to_raw_value};

use super::{Job, Queue};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
};

/// A job that a unit of work has collected, to be inserted when it commits.
#[derive(Debug, Clone)]
pub(crate) struct NewJob {
    pub(crate) queue: Queue,
    pub(crate) kind: &'static str,
    pub(crate) max_attempts: i16,
    pub(crate) timeout_ms: i32,
    /// The earliest time at which it runs.
    pub(crate) run_at: Timestamp,
    /// The W3C `traceparent` of the request that causes it; its run joins that trace.
    pub(crate) traceparent: Option<String>,
    pub(crate) payload: Box<RawValue>,
}

impl NewJob {
    /// Describes a job of kind `J`.
    pub(crate) fn new<J: Job>(job: &J, run_at: Timestamp, traceparent: Option<String>) -> Result<Self> {
        Ok(Self {
            queue: J::QUEUE,
            kind: J::KIND,
            max_attempts: i16::try_from(J::MAX_ATTEMPTS).unwrap_or(i16::MAX),
            timeout_ms: i32::try_from(J::TIMEOUT.as_millis()).unwrap_or(i32::MAX),
            run_at,
            traceparent,
            payload: to_raw_value(job).map_err(Error::internal)?,
        })
    }
}
