//! The end of a proposal that nobody decided.

use kernel::{
    DbScope,
    audit::Change,
    caller::{Actor, Caller},
    error::Result,
    queue::Outcome,
};

use super::{decision, read::find};
use crate::{jobs::ExpireProposal, ledger::Ledger, model::Decision, store, vault::Vault};

/// Seals a proposal as void when nobody decided it in time. Changes nothing for a proposal that was
/// decided, or when the job runs twice. Snoozes for a proposal that can still be decided.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound);
/// [`Code::Overloaded`](kernel::Code::Overloaded) when too many wait for the log;
/// [`Code::LogBehind`](kernel::Code::LogBehind).
pub async fn expire(vault: &Vault, job: &ExpireProposal) -> Result<Outcome> {
    let (project, index) = (job.project, job.proposal);
    Ledger::run(vault, Caller::system(DbScope::Job(project)), async |ledger| {
        let proposal = find(ledger.unit(), project, index).await?;
        if proposal.decision.is_some() {
            return Ok(Outcome::Done);
        }
        let early = (proposal.expires_at - vault.core.clock.now()).to_std().unwrap_or_default();
        if !early.is_zero() {
            return Ok(Outcome::Snooze(early));
        }
        let draft = decision::draft(Actor::System, Decision::Expired, &proposal.seal, None)?;
        let decided_by = ledger.push(draft)?;
        store::proposals::settle(ledger.unit(), project, index, decided_by, Decision::Expired).await?;
        ledger.unit().audit(Decision::Expired.kind(), format!("{project}/{index}"), Change::NONE);
        Ok(Outcome::Done)
    })
    .await
}
