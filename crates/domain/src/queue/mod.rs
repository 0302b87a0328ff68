//! Durable jobs: enqueued in the caller's transaction, run at least once by the worker.
//!
//! Adding a job: a payload type in `<area>/jobs.rs` that implements [`Job`]; its handler in `worker/src/jobs/<area>.rs`; one line
//! in `worker/src/registry.rs`.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;

use crate::{clock::Timestamp, error::Result};

mod store;

/// A kind of background work; the value is its payload.
///
/// Architecture invariant: a handler may run twice for one payload, also at the same time. Its effects are idempotent or fenced.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stable name in the `jobs` table; `<area>.<verb>`.
    const KIND: &'static str;
    /// How often a run may fail, or vanish with its worker, before the job is dead.
    const MAX_ATTEMPTS: u16 = 20;
    /// What a run may take; longer is a failure.
    const TIMEOUT: Duration = Duration::from_secs(60);
}

/// Adds `job` to the caller's transaction: it exists if and only if that commits. It runs no sooner than `run_at`.
///
/// # Errors
/// Those of the database.
pub async fn enqueue<J: Job>(tx: &mut PgConnection, job: &J, run_at: Timestamp) -> Result<()> {
    let payload = serde_json::to_value(job).map_err(crate::Error::internal)?;
    store::insert(tx, J::KIND, &payload, J::MAX_ATTEMPTS, J::TIMEOUT, run_at).await?;
    Ok(())
}

/// How a run of a job ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is to run again after this long. No attempt is charged.
    Snooze(Duration),
}
