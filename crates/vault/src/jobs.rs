//! Payloads of the vault's jobs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use kernel::{ids::ProjectId, queue::Job};

/// Seal a proposal as void that nobody decided in time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpireProposal {
    /// Whose log.
    pub project: ProjectId,
    /// The proposal's index.
    pub proposal: u64,
}

impl Job for ExpireProposal {
    const KIND: &'static str = "vault.expire_proposal";
}

/// Seal what other areas' transactions left in the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DrainOutbox {
    /// Whose log.
    pub project: ProjectId,
}

impl Job for DrainOutbox {
    const KIND: &'static str = "vault.drain_outbox";
}

/// Digest what a project's audit log has gained. Where it fails for good, the next look asks for it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DigestAudit {
    /// Whose audit log.
    pub project: ProjectId,
}

impl Job for DigestAudit {
    const KIND: &'static str = "vault.digest_audit";
    const MAX_ATTEMPTS: u16 = 3;
}

/// Rebuild a log from its entries and compare everything with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckLog {
    /// Whose log.
    pub project: ProjectId,
}

impl Job for CheckLog {
    const KIND: &'static str = "vault.check_log";
    const TIMEOUT: Duration = Duration::from_secs(3600);
    const MAX_ATTEMPTS: u16 = 3;
}
