//! The queue's own housekeeping.

use kernel::{Result, queue};

use crate::context::Context;

/// Rows per statement, so that none holds its locks for long.
const BATCH: u16 = 1000;
/// Batches per run; what is left waits for the next.
const BATCHES: u16 = 200;

/// Deletes dead jobs whose retention is over.
pub(crate) async fn prune_dead(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        let pruned = queue::prune_dead(&context.core.db, context.dead_job_retention, BATCH).await?;
        if pruned < u64::from(BATCH) {
            break;
        }
    }
    Ok(())
}
