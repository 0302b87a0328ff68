//! Settlement of the deliveries that were on their way to a removed agent.

use std::time::Duration;

use kernel::{
    Core, DbScope,
    caller::{Caller, RequestContext},
    error::Result,
    queue::Outcome,
};

use super::store;
use crate::agents::jobs::RetireAgent;

/// The number of deliveries that one run settles.
const BATCH: u64 = 1_000;

/// Settles a removed agent's open deliveries, a thousand at a time; asks to be run again while
/// there are more. An agent that was registered anew since keeps them.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn retire(core: &Core, job: &RetireAgent, request: &RequestContext) -> Result<Outcome> {
    let by = Caller::job(DbScope::Job(job.project), request);
    let settled = core
        .write(by, async |unit| {
            let now = unit.now();
            Ok(store::dead_letter(unit, job.agent, now, BATCH.cast_signed()).await?)
        })
        .await?;
    Ok(if settled < BATCH { Outcome::Done } else { Outcome::Snooze(Duration::ZERO) })
}
