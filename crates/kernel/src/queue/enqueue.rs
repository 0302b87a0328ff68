//! Adding jobs to the caller's transaction.

use sqlx::PgConnection;

use super::{Job, store};
use crate::{clock::Timestamp, error::Result};

/// Adds `job` to the caller's transaction: it exists if and only if that commits. It runs no sooner than `run_at`.
///
/// After the commit, `Core::wake` with `Topic::Jobs` spares the job the worker's polling interval. [`Enqueue`] can do more.
///
/// # Errors
/// Those of the database.
pub async fn enqueue<J: Job>(tx: &mut PgConnection, job: &J, run_at: Timestamp) -> Result<()> {
    Enqueue::at(run_at).one(tx, job).await
}

/// Adds jobs of one kind to the caller's transaction, in one statement, each of which runs no sooner than the time beside it.
///
/// # Errors
/// Those of the database.
pub async fn enqueue_each<J: Job>(tx: &mut PgConnection, jobs: &[(J, Timestamp)]) -> Result<()> {
    if !jobs.is_empty() {
        store::insert(tx, jobs.iter().map(|(job, run_at)| (job, *run_at)), None).await?;
    }
    Ok(())
}

/// How jobs are enqueued, where [`enqueue`] does not say enough.
#[derive(Debug, Clone, Copy)]
pub struct Enqueue<'a> {
    run_at: Timestamp,
    traceparent: Option<&'a str>,
}

impl<'a> Enqueue<'a> {
    /// Jobs that run no sooner than `run_at`.
    pub fn at(run_at: Timestamp) -> Self {
        Self { run_at, traceparent: None }
    }

    /// The W3C `traceparent` of what causes the jobs; their runs join that trace.
    pub fn traceparent(self, traceparent: Option<&'a str>) -> Self {
        Self { traceparent, ..self }
    }

    /// Adds one job to the caller's transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn one<J: Job>(self, tx: &mut PgConnection, job: &J) -> Result<()> {
        self.all(tx, std::slice::from_ref(job)).await
    }

    /// Adds many jobs of one kind to the caller's transaction, in one statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn all<J: Job>(self, tx: &mut PgConnection, jobs: &[J]) -> Result<()> {
        if !jobs.is_empty() {
            store::insert(tx, jobs.iter().map(|job| (job, self.run_at)), self.traceparent).await?;
        }
        Ok(())
    }
}
