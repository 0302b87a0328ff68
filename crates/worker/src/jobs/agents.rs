//! Settling what was on its way to an agent that was removed.

use domain::agents::{self, jobs::RetireAgent};
use kernel::{Result, queue::Outcome};

use crate::context::{Attempt, Context};

/// Runs again until nothing is left.
pub(crate) async fn retire(context: Context, job: RetireAgent, _: Attempt) -> Result<Outcome> {
    agents::retire(&context.core, &job).await
}
