//! Deciding a proposal.

use kernel::{
    answer::Answer,
    audit::Change,
    caller::{Actor, Authorized, allow},
    checks::{Checks, TEXT_ERRORS},
    error::{Code, Codes, Error, Result},
};

use super::{decision, read::find};
use crate::{
    errors::{ENTRY_ERRORS, SIGN_ERRORS},
    ledger::Ledger,
    model::{Decision, Reason, Sealed},
    store,
    vault::Vault,
};

/// The codes of [`decide`].
pub const DECIDE_ERRORS: Codes =
    &[TEXT_ERRORS, SIGN_ERRORS, ENTRY_ERRORS, &[Code::NotFound, Code::ProposalDecided, Code::Forbidden]];

/// Decides the proposal at `index`, for a person: seals the decision, and settles the proposal by
/// it, in one commit.
///
/// # Errors
/// [`DECIDE_ERRORS`]: `Forbidden` to anybody but a person, and to the person who proposed it;
/// `Overloaded` when too many wait for the log.
pub async fn decide(
    vault: &Vault,
    by: &Authorized<allow::VaultDecide>,
    index: u64,
    decision: Decision,
    reason: &Reason,
) -> Result<Answer<Sealed>> {
    if !matches!(by.actor, Actor::Person(_)) {
        let detail = "A proposal waits for a person: send the access token of a login";
        return Err(Error::new(Code::Forbidden, detail));
    }
    let mut checks = Checks::new();
    checks.text("/reason", &reason.reason, 1..=2_000);
    checks.finish()?;
    Ledger::run_once(vault, by, async |ledger| {
        let proposal = find(ledger.unit(), by.project, index).await?;
        if proposal.decision.is_some() || proposal.expires_at <= vault.core.clock.now() {
            let decision = proposal.decision.unwrap_or(Decision::Expired);
            let decision = decision.kind().trim_start_matches("proposal.");
            let detail = format!("Proposal {index} is settled: it was {decision}");
            return Err(Error::new(Code::ProposalDecided, detail));
        }
        if proposal.seal.actor == by.actor.to_string() {
            let detail = "Nobody can decide their own proposal; ask another person";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let draft = decision::draft(by.actor, decision, &proposal.seal, Some(&reason.reason))?;
        let decided_by = ledger.push(draft)?;
        store::proposals::settle(ledger.unit(), by.project, index, decided_by, decision).await?;
        ledger.unit().audit(decision.kind(), format!("{}/{index}", by.project), Change::NONE);
        Ok(decided_by)
    })
    .await
}
