//! The subject of a finding, which decides the advice.

use serde::Serialize;

use super::finding::Finding;

/// The subject of a finding, which decides the advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The log: entries, or statements about it that were given to others.
    Log,
    /// Lists that are stored beside the entries and follow from them.
    Lists,
    /// Personal data, which can be erased.
    Personal,
    /// The audit log, whose digests are in the log.
    Audit,
}

impl About {
    /// Returns the advice to the operator.
    pub fn advice(self) -> &'static str {
        match self {
            About::Log => {
                "The log is not what was sealed. Keep a copy of the database as it is, let nobody write to \
                 it, and compare with a backup and with receipts."
            }
            About::Lists => {
                "What follows from the entries is wrong. Where nothing is wrong with the log itself, it can \
                 be rebuilt from them; until then searches or proofs fail."
            }
            About::Audit => {
                "The audit log is not what was digested into the log. Keep a copy of the database as it is, \
                 and compare audit_events with a backup."
            }
            About::Personal => {
                "Personal data is wrong. The log itself is not affected: look for the data, or for the older \
                 keys of VAULT_KEK, in a backup."
            }
        }
    }
}

impl Finding {
    /// Returns its subject.
    pub fn about(&self) -> About {
        match self {
            Finding::Column { .. }
            | Finding::TagMissing { .. }
            | Finding::TagSurplus { .. }
            | Finding::HeadVerdicts { .. }
            | Finding::TileMissing { .. }
            | Finding::TileHashes { .. }
            | Finding::TileRoot { .. }
            | Finding::ProposalMissing { .. }
            | Finding::ProposalSurplus { .. }
            | Finding::ProposalDecision { .. }
            | Finding::ProposalExpiry { .. } => About::Lists,
            Finding::PersonalDigest { .. }
            | Finding::PersonalUnreadable { .. }
            | Finding::PersonalMissing { .. }
            | Finding::PersonalBack { .. }
            | Finding::PersonalSurplus { .. }
            | Finding::PersonalSubject { .. } => About::Personal,
            Finding::AuditChanged { .. } | Finding::AuditSkipped { .. } => About::Audit,
            _ => About::Log,
        }
    }
}
