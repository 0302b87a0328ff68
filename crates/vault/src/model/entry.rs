//! The content of entries.

use kernel::{
    clock::Timestamp,
    ids::{AuditId, LogId, ProjectId},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::verdict::Verdict;

/// The kind of the seals that record an erasure.
pub(crate) const SUBJECT_ERASED: &str = "subject.erased";

/// The content of an entry.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) actor: String,
    pub(crate) at: Timestamp,
    /// The end of a proposal; entries that are older than the member lack it.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) index: u64,
    pub(crate) kind: String,
    pub(crate) payload: Box<RawValue>,
    pub(crate) personal_sha256: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) subject: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    pub(crate) verdict: Verdict,
}

/// The payload of the seal over a range of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditDigest {
    /// The last event of the range before; `None` in the first.
    pub(crate) after: Option<AuditId>,
    /// The number of events.
    pub(crate) events: u64,
    /// SHA-256 in hexadecimal.
    pub(crate) sha256: String,
    /// The last event.
    pub(crate) through: AuditId,
}

impl AuditDigest {
    /// The kind of its seals.
    pub(crate) const KIND: &'static str = "audit.digested";
}

/// The tenant of the meta-log.
pub(crate) const META: ProjectId = LogId::META.project();
/// The kind of the entries of the meta-log that are heads.
pub(crate) const LOG_HEAD: &str = "log.head";
/// The kind of the entries of the meta-log that are signing keys.
pub(crate) const LOG_KEYS: &str = "log.keys";

/// The payload of an entry that is a head.
#[derive(Debug, Deserialize)]
pub(crate) struct PublishedHead {
    pub(crate) size: u64,
    /// The root in base64.
    pub(crate) root: String,
}
