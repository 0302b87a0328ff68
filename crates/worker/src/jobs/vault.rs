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

/// How many batches of heads one run publishes; the next run goes on.
const BATCHES: u32 = 20;

/// Publishes the heads of all logs in the meta-log, and has that cosigned.
pub(crate) async fn publish(context: Context) -> Result<()> {
    if !context.witnesses.is_empty() && !context.vault.check_rollback(&context.witnesses).await? {
        return Ok(());
    }
    for _ in 0..BATCHES {
        if vault::publish(&context.vault).await? < 1_000 {
            break;
        }
    }
    for witness in &context.witnesses {
        vault::cosign(&context.vault, witness).await?;
    }
    Ok(())
}
