//! Rows that an append reads and writes.

use std::collections::BTreeMap;

use kernel::{clock::Timestamp, ids::ProjectId};
use sqlx::{FromRow, types::Json};
use tlog_tiles::Hash;

use super::verdict::Verdict;

/// The head of a log, locked until the transaction ends.
#[derive(Debug, FromRow)]
pub(crate) struct LockedHead {
    pub(crate) size: i64,
    /// The right edge of the tree, hash after hash.
    pub(crate) edge: Vec<u8>,
    pub(crate) verdicts: Json<BTreeMap<Verdict, u64>>,
    pub(crate) at: Timestamp,
    /// The transaction, so that its outcome can be asked for later.
    pub(crate) xid: i64,
}

/// The head as a batch leaves it.
#[derive(Debug)]
pub(crate) struct Advance {
    pub(crate) old_size: u64,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) edge: Vec<Hash>,
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    pub(crate) at: Timestamp,
}

/// An entry to insert.
#[derive(Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    pub(crate) kind: &'a str,
    pub(crate) verdict: Verdict,
    pub(crate) actor: &'a str,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) tags: &'a [String],
    pub(crate) entry: &'a [u8],
}

/// A tile that is full now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewTile {
    pub(crate) n: u64,
    pub(crate) root: Hash,
}

/// The personal data of an entry, to insert.
#[derive(Debug)]
pub(crate) struct NewPayload<'a> {
    pub(crate) index: u64,
    pub(crate) subject: &'a str,
    pub(crate) ciphertext: &'a [u8],
}

/// A subject's wrapped key.
#[derive(Debug, FromRow)]
pub(crate) struct WrappedKey {
    pub(crate) subject: String,
    pub(crate) wrapped: Vec<u8>,
}

/// A wrapped key to replace, if it is still as it was seen.
#[derive(Debug)]
pub(crate) struct Rewrap<'a> {
    pub(crate) subject: &'a str,
    pub(crate) seen: &'a [u8],
    pub(crate) rewrapped: Vec<u8>,
}

/// A proposal to insert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewProposal {
    pub(crate) index: u64,
    pub(crate) expires_at: Timestamp,
}

/// A commit whose outcome is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commit {
    pub(crate) project: ProjectId,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) xid: i64,
}
