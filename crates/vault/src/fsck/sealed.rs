//! Statements of entries about the rows that belong to them.

use kernel::clock::Timestamp;
use serde::Deserialize;
use tlog_tiles::Hash;

use crate::model::{Decision, Entry};

/// The statement of an entry about its personal data.
pub(super) struct SealedPersonal {
    pub(super) digest: String,
    pub(super) subject: Option<String>,
}

/// The statement of an entry about itself as a proposal.
pub(super) struct SealedProposal {
    pub(super) leaf: Hash,
    /// Its end, where the entry says it.
    pub(super) expires_at: Option<Timestamp>,
}

/// The payload of a decision's seal, as far as a check needs it.
#[derive(Deserialize)]
pub(super) struct SealedDecision {
    pub(super) proposal: u64,
    pub(super) leaf_hash: String,
}

impl SealedDecision {
    /// Reads the decision that an entry records, if it records one.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let is_decision = Decision::ALL.iter().any(|decision| decision.kind() == entry.kind);
        if is_decision { serde_json::from_str(entry.payload.get()).ok() } else { None }
    }
}
