//! Payloads of the vault's jobs.

use std::time::Duration;

use kernel::{ids::ProjectId, queue::Job};
use serde::{Deserialize, Serialize};

/// Seals a proposal as void when nobody decided it in time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpireProposal {
    /// The log's project.
    pub project: ProjectId,
    /// The proposal's index.
    pub proposal: u64,
}

impl Job for ExpireProposal {
    const KIND: &'static str = "vault.expire_proposal";
}

/// Appends the seals that other areas' transactions left in the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DrainOutbox {
    /// The log's project.
    pub project: ProjectId,
}

impl Job for DrainOutbox {
    const KIND: &'static str = "vault.drain_outbox";
}

/// Digests the new events of a project's audit log. When it dies, the next schedule enqueues it
/// again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DigestAudit {
    /// The audit log's project.
    pub project: ProjectId,
}

impl Job for DigestAudit {
    const KIND: &'static str = "vault.digest_audit";
    const MAX_ATTEMPTS: u16 = 3;
}

/// Rebuilds a log from its entries and compares everything with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckLog {
    /// The log's project.
    pub project: ProjectId,
}

impl Job for CheckLog {
    const KIND: &'static str = "vault.check_log";
    const TIMEOUT: Duration = Duration::from_secs(3600);
    const MAX_ATTEMPTS: u16 = 3;
}
