//! Periodic tasks that delete rows which nothing needs any more.

use kernel::{Result, housekeeping, queue};

use super::batches::Batches;
use crate::context::Context;

/// Deletes dead jobs after their retention.
pub(crate) async fn prune_dead_jobs(context: Context) -> Result<()> {
    let (db, retention) = (&context.core.db, context.dead_job_retention);
    let mut batches = Batches::new(1_000, 200);
    while batches.goes_on(queue::prune_dead(db, retention, batches.size).await?) {}
    Ok(())
}

/// Deletes nonces whose signatures are too old to be accepted.
pub(crate) async fn prune_nonces(context: Context) -> Result<()> {
    let mut batches = Batches::new(5_000, 200);
    while batches.goes_on(housekeeping::prune_nonces(&context.core, batches.size).await?) {}
    Ok(())
}

/// Deletes stored responses after their retention.
pub(crate) async fn prune_responses(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 200);
    while batches.goes_on(housekeeping::prune_responses(&context.core, batches.size).await?) {}
    Ok(())
}
