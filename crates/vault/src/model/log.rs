//! Logs, and their heads.

use chrono::{DateTime, Utc};
use kernel::{clock::Timestamp, ids::LogId};
use serde::Serialize;
use tlog_tiles::Hash;
use utoipa::ToSchema;

use super::proof::Consistency;

/// A size that a log was committed at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// The number of entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// The time of the commit.
    pub at: Timestamp,
}

/// A log, as its project sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Log {
    /// The identifier.
    pub log: LogId,
    /// The name: the first line of its checkpoints.
    #[schema(
        max_length = 400,
        example = "api.example.com/v1/vault/logs/log_019aa3f0c1d27abc8def0123456789ab"
    )]
    pub origin: String,
    /// The number of entries.
    #[schema(minimum = 0)]
    pub size: u64,
    /// The root of its tree, in base64.
    #[schema(max_length = 44)]
    pub root: String,
    /// The signed checkpoint of that size (C2SP tlog-checkpoint); null for an empty log.
    #[schema(required = true, max_length = 16384)]
    pub checkpoint: Option<String>,
    /// The keys that sign its checkpoints (C2SP signed-note verifier keys). Keep a copy elsewhere:
    /// a client that trusts this answer alone trusts the server.
    pub keys: Vec<String>,
    /// When the worker last rebuilt the log from its entries; null before the first time.
    #[schema(required = true)]
    pub checked_at: Option<DateTime<Utc>>,
    /// The first thing that this check found wrong; null when it found nothing.
    #[schema(required = true, max_length = 2048)]
    pub checked_finding: Option<String>,
}

/// The newest head of a log that witnesses have seen.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Witnessed {
    /// The log.
    pub log: LogId,
    /// Its name in the meta-log: SHA-256 over its origin, in hexadecimal. Equals `payload.log` of
    /// the entry in the receipt.
    #[schema(max_length = 64)]
    pub name: String,
    /// The number of entries that it had; equals `payload.size` of that entry.
    #[schema(minimum = 1)]
    pub size: u64,
    /// The root of its tree then, in base64; equals `payload.root` of that entry.
    #[schema(max_length = 44)]
    pub root: String,
    /// When the head was published in the meta-log.
    pub at: DateTime<Utc>,
    /// The receipt of that entry (C2SP tlog-proof): it is in the meta-log, whose checkpoint here
    /// has the witnesses' cosignatures beside our signature.
    #[schema(max_length = 262_144)]
    pub receipt: String,
    /// The proof that the log, as it is now, begins with what the witnesses saw.
    pub consistency: Consistency,
}
