//! The vault's background work.

use domain::{
    Result,
    queue::Outcome,
    vault::{
        self,
        jobs::{DrainOutbox, ExpireProposal},
        outbox,
    },
};

use crate::context::{Attempt, Context};

/// Seals a proposal as void that nobody decided.
pub(crate) async fn expire_proposal(context: Context, job: ExpireProposal, _: Attempt) -> Result<Outcome> {
    vault::expire(&context.vault, &job).await.map(|()| Outcome::Done)
}

/// Appends what other areas want sealed.
pub(crate) async fn drain_outbox(context: Context, job: DrainOutbox, _: Attempt) -> Result<Outcome> {
    outbox::drain(&context.vault, job.project).await.map(|()| Outcome::Done)
}
