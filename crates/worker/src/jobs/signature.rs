//! Forgetting nonces whose signatures would be refused for their age.

use kernel::{Result, signature};

use crate::context::Context;

/// How many nonces one statement forgets.
const BATCH: u64 = 5_000;
/// How many of those one run makes; the next run goes on.
const BATCHES: u32 = 200;

/// Forgets what is too old to be replayed.
pub(crate) async fn prune_nonces(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        if signature::prune_nonces(&context.core, BATCH.cast_signed()).await? < BATCH {
            break;
        }
    }
    Ok(())
}
