//! Delivering intents, and settling those that nobody will.

use domain::intents::{self, deliver, jobs::DeliverIntent};
use kernel::{Result, queue::Outcome};

use crate::context::{Attempt, Context};

/// How many deliveries one statement settles: short transactions, whatever has piled up.
const BATCH: u64 = 1_000;
/// How many of those one run makes; the next run goes on.
const BATCHES: u32 = 100;

/// Brings a delivery to its recipient.
pub(crate) async fn deliver(context: Context, job: DeliverIntent, _: Attempt) -> Result<Outcome> {
    deliver::deliver(&context.core, context.push.as_ref(), &job).await
}

/// Settles what has expired.
pub(crate) async fn sweep(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        if intents::sweep(&context.core, BATCH.cast_signed()).await? < BATCH {
            break;
        }
    }
    Ok(())
}

/// Forgets what was settled long ago.
pub(crate) async fn prune(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        if intents::prune(&context.core, BATCH.cast_signed()).await? < BATCH {
            break;
        }
    }
    Ok(())
}
