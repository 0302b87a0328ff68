//! Delivering intents, settling expired ones, and deleting old ones.

use domain::intents::{self, jobs::DeliverIntent};
use kernel::{Result, queue::Outcome};

use super::batches::Batches;
use crate::context::{Attempt, Context};

/// Brings a delivery to its recipient.
pub(crate) async fn deliver(context: Context, job: DeliverIntent, attempt: Attempt) -> Result<Outcome> {
    intents::deliver(&context.core, context.push.as_ref(), &job, &attempt.request).await
}

/// Settles expired intents.
pub(crate) async fn sweep(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 100);
    while batches.goes_on(intents::sweep(&context.core, batches.size).await?) {}
    Ok(())
}

/// Deletes intents that were settled long ago.
pub(crate) async fn prune(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 100);
    while batches.goes_on(intents::prune(&context.core, batches.size).await?) {}
    Ok(())
}
