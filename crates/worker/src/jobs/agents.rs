//! Settling what was on its way to an agent that was removed.

use domain::{agents::jobs::RetireAgent, intents};
use kernel::{Result, queue::Outcome};

use crate::context::{Attempt, Context};

/// Settles a part, and runs again until nothing is left.
pub(crate) async fn retire(context: Context, job: RetireAgent, attempt: Attempt) -> Result<Outcome> {
    intents::retire(&context.core, &job, &attempt.request).await
}
