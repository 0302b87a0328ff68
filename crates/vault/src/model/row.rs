//! Rows of a log, and the types that they become.

use kernel::{
    clock::Timestamp,
    crypto::hex,
    error::{Error, Result},
    ids::ProjectId,
};
use sqlx::FromRow;
use tlog_tiles::record_hash;

use super::{
    entry::Entry,
    proposal::{Decision, Proposal},
    seal::Seal,
};
use crate::{convert::unsigned, errors::damaged};

/// A seal's row.
#[derive(Debug, FromRow)]
pub(crate) struct SealRow {
    pub(crate) index: i64,
    pub(crate) leaf_hash: Vec<u8>,
    pub(crate) entry: Vec<u8>,
}

/// A proposal's row, and its seal's.
#[derive(Debug, FromRow)]
pub(crate) struct ProposalRow {
    #[sqlx(flatten)]
    pub(crate) seal: SealRow,
    pub(crate) expires_at: Timestamp,
    pub(crate) decision: Option<Decision>,
    pub(crate) decided_by: Option<i64>,
}

/// Reads the hashed bytes, and ignores the columns beside them.
impl TryFrom<SealRow> for Seal {
    type Error = Error;

    fn try_from(row: SealRow) -> Result<Self> {
        if record_hash(&row.entry).0.as_slice() != row.leaf_hash.as_slice() {
            return Err(damaged(unsigned(row.index)?).because("the bytes have another leaf hash"));
        }
        let unreadable = |error| Error::internal(format!("entry {} cannot be read: {error}", row.index));
        let entry: Entry = serde_json::from_slice(&row.entry).map_err(unreadable)?;
        if entry.index != unsigned(row.index)? {
            return Err(Error::internal(format!("entry {} says that it is {}", row.index, entry.index)));
        }
        Ok(Seal {
            index: entry.index,
            at: entry.at,
            actor: entry.actor,
            kind: entry.kind,
            verdict: entry.verdict,
            payload: entry.payload,
            session_id: entry.session_id,
            subject: entry.subject,
            tags: entry.tags,
            personal_sha256: entry.personal_sha256,
            leaf_hash: hex(&row.leaf_hash),
        })
    }
}

impl TryFrom<ProposalRow> for Proposal {
    type Error = Error;

    fn try_from(row: ProposalRow) -> Result<Self> {
        let decided_by = row.decided_by.map(unsigned).transpose()?;
        let (expires_at, decision) = (row.expires_at, row.decision);
        Ok(Self { seal: row.seal.try_into()?, expires_at, decision, decided_by })
    }
}

/// A subject's wrapped key, and the ciphertext of a seal's personal data.
#[derive(Debug, FromRow)]
pub(crate) struct EncryptedPersonal {
    pub(crate) subject: String,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

/// A seal that waits in the outbox.
#[derive(Debug, FromRow)]
pub(crate) struct OutboxRow {
    pub(crate) id: i64,
    /// Canonical JSON.
    pub(crate) seal: String,
}

/// A head that is not in the meta-log yet.
#[derive(Debug, FromRow)]
pub(crate) struct UnpublishedHead {
    #[sqlx(rename = "project_id")]
    pub(crate) project: ProjectId,
    pub(crate) size: i64,
    pub(crate) root: Vec<u8>,
}

/// The result of the last check of a log.
#[derive(Debug, Default, FromRow)]
pub(crate) struct LastCheck {
    pub(crate) at: Option<Timestamp>,
    pub(crate) size: Option<i64>,
    pub(crate) finding: Option<String>,
}

/// A tile, by its level and its number on that level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tile {
    pub(crate) level: u8,
    pub(crate) n: u64,
}
