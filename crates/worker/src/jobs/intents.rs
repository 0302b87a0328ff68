//! Delivering intents, and settling those that nobody will.

use domain::intents::{self, jobs::DeliverIntent};
use kernel::{Result, queue::Outcome};

use super::batches::Batches;
use crate::context::{Attempt, Context};

/// Brings a delivery to its recipient.
pub(crate) async fn deliver(context: Context, job: DeliverIntent, attempt: Attempt) -> Result<Outcome> {
    intents::deliver(&context.core, context.push.as_ref(), &job, &attempt.request).await
}

/// Settles what has expired.
pub(crate) async fn sweep(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 100);
    while batches.goes_on(intents::sweep(&context.core, batches.size).await?) {}
    Ok(())
}

/// Deletes what was settled long ago.
pub(crate) async fn prune(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 100);
    while batches.goes_on(intents::prune(&context.core, batches.size).await?) {}
    Ok(())
}
