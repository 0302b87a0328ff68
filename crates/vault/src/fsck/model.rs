//! Rows as a check reads them.

use kernel::{clock::Timestamp, ids::ProjectId};
use serde_json::Value;
use sqlx::FromRow;

/// The head of a log.
#[derive(Debug, FromRow)]
pub(super) struct HeadRow {
    pub(super) size: i64,
    pub(super) edge: Vec<u8>,
    pub(super) verdicts: Value,
    pub(super) at: Timestamp,
}

/// An entry with the columns beside it.
#[derive(Debug, FromRow)]
pub(super) struct EntryRow {
    pub(super) index: i64,
    pub(super) at: Timestamp,
    pub(super) leaf_hash: Vec<u8>,
    pub(super) kind: String,
    pub(super) verdict: String,
    pub(super) actor: String,
    pub(super) session_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) entry: Vec<u8>,
}

/// A checkpoint.
#[derive(Debug, FromRow)]
pub(super) struct CheckpointRow {
    pub(super) size: i64,
    pub(super) root: Vec<u8>,
    pub(super) at: Timestamp,
}

/// A cosignature.
#[derive(Debug, FromRow)]
pub(super) struct CosignatureRow {
    pub(super) size: i64,
    pub(super) witness: String,
    pub(super) line: String,
}

/// A full tile.
#[derive(Debug, FromRow)]
pub(super) struct TileRow {
    pub(super) level: i16,
    pub(super) n: i64,
    pub(super) root: Vec<u8>,
    pub(super) hashes: Vec<u8>,
}

/// A tag, and the entry at its index.
#[derive(Debug, FromRow)]
pub(super) struct TagRow {
    pub(super) tag: String,
    pub(super) index: i64,
    pub(super) entry: Option<Vec<u8>>,
}

/// The tags of a log, counted.
#[derive(Debug, FromRow)]
pub(super) struct TagCount {
    pub(super) count: i64,
    /// The first index beyond the head that has one.
    pub(super) beyond: Option<i64>,
}

/// A tag of an entry.
#[derive(Debug, FromRow)]
pub(super) struct EntryTag {
    pub(super) index: i64,
    pub(super) tag: String,
}

/// Personal data, with the key of its subject where there is one.
#[derive(Debug, FromRow)]
pub(super) struct PersonalRow {
    pub(super) index: i64,
    pub(super) subject: String,
    pub(super) ciphertext: Vec<u8>,
    pub(super) wrapped: Option<Vec<u8>>,
}

/// A proposal, and the entry that decided it by the list.
#[derive(Debug, FromRow)]
pub(super) struct ProposalRow {
    pub(super) index: i64,
    pub(super) expires_at: Timestamp,
    pub(super) decision: Option<String>,
    pub(super) decided_by: Option<i64>,
    pub(super) decider: Option<Vec<u8>>,
}

/// A proposal, and the entry that settled it.
#[derive(Debug, FromRow)]
pub(super) struct Settled {
    pub(super) proposal: i64,
    pub(super) decider: i64,
}

/// A project, and whether it has a log.
#[derive(Debug, FromRow)]
pub(super) struct ProjectRow {
    pub(super) project: ProjectId,
    pub(super) has_log: bool,
}

/// An entry of the meta-log that is a head.
#[derive(Debug, FromRow)]
pub(super) struct MetaRow {
    pub(super) index: i64,
    pub(super) entry: Vec<u8>,
}

/// The logs by their last checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct CheckCounts {
    /// Logs that were found damaged.
    pub damaged: i64,
    /// Logs that are older than two days and were not checked since then.
    pub unchecked: i64,
}
