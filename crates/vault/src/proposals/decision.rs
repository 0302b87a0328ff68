//! The seals that record decisions.

use kernel::{caller::Actor, error::Result};
use serde_json::json;

use crate::{
    draft::{Draft, OwnSeal},
    format::json::canonical,
    model::{Decision, Seal},
};

/// Returns the seal that records the decision on `proposal`.
pub(super) fn draft(
    actor: Actor,
    decision: Decision,
    proposal: &Seal,
    reason: Option<&str>,
) -> Result<Draft> {
    let payload = json!({"proposal": proposal.index, "leaf_hash": proposal.leaf_hash, "reason": reason});
    let seal = OwnSeal {
        actor,
        kind: decision.kind(),
        verdict: decision.verdict(),
        session_id: proposal.session_id.clone(),
        subject: proposal.subject.clone(),
    };
    Draft::own(seal, &canonical(&payload)?)
}
