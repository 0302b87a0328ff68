//! Settling the deliveries of removed agents.

use domain::{agents::jobs::RetireAgent, intents};
use kernel::{Result, queue::Outcome};

use crate::context::{Attempt, Context};

/// Settles some of the deliveries, and runs again until none is left.
pub(crate) async fn retire(context: Context, job: RetireAgent, attempt: Attempt) -> Result<Outcome> {
    intents::retire(&context.core, &job, &attempt.request).await
}
