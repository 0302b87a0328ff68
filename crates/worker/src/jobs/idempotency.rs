//! Forgetting first answers that nobody may ask for again.

use kernel::{Result, idempotency};

use crate::context::Context;

/// How many one statement forgets.
const BATCH: u64 = 1_000;
/// How many of those one run makes; the next run goes on.
const BATCHES: u32 = 200;

/// Forgets what was kept long enough.
pub(crate) async fn prune(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        if idempotency::prune(&context.core, BATCH.cast_signed()).await? < BATCH {
            break;
        }
    }
    Ok(())
}
