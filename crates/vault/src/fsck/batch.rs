//! One batch of entries, and the rows that belong to it: tags, personal data, proposals and their
//! decisions.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    ops::Range,
    vec::IntoIter,
};

use kernel::{error::Result, ids::ProjectId};
use sqlx::PgConnection;
use tlog_tiles::Hash;

use super::{
    audit,
    finding::Finding,
    model::{CheckpointRow, CosignatureRow, EntryTag, Settled},
    personal, proposals,
    report::Report,
    sealed::{SealedDecision, SealedPersonal, SealedProposal},
    store,
};
use crate::{
    convert::unsigned,
    model::{AuditDigest, Entry, Verdict},
    vault::Vault,
};

/// The content of one batch, as far as other rows depend on it.
pub(super) struct Batch {
    /// Checkpoints by size, those that were not reached yet.
    pub(super) checkpoints: Peekable<IntoIter<CheckpointRow>>,
    /// Cosignatures by size, those that were not reached yet.
    pub(super) cosignatures: Peekable<IntoIter<CosignatureRow>>,
    /// Entries that could not be read.
    pub(super) unreadable: BTreeSet<u64>,
    /// The digests of the audit log, by index.
    pub(super) digests: Vec<(u64, AuditDigest)>,
    /// The tags of entries.
    tags: Vec<EntryTag>,
    /// Entries with personal data.
    personal: BTreeMap<u64, SealedPersonal>,
    /// Entries that are proposals.
    proposals: BTreeMap<u64, SealedProposal>,
    /// The decisions on proposals.
    decided: Vec<Settled>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            checkpoints: Vec::new().into_iter().peekable(),
            cosignatures: Vec::new().into_iter().peekable(),
            unreadable: BTreeSet::new(),
            digests: Vec::new(),
            tags: Vec::new(),
            personal: BTreeMap::new(),
            proposals: BTreeMap::new(),
            decided: Vec::new(),
        }
    }
}

impl Batch {
    /// Adds the entry's statements about other rows.
    pub(super) fn entry(&mut self, index: u64, leaf: Hash, entry: Entry) {
        if let Some(decision) = SealedDecision::of(&entry) {
            let (proposal, decider) = (decision.proposal.cast_signed(), index.cast_signed());
            self.decided.push(Settled { proposal, decider });
        }
        self.digests.extend(audit::sealed(&entry).map(|digest| (index, digest)));
        if entry.verdict == Verdict::Hold {
            self.proposals.insert(index, SealedProposal { leaf, expires_at: entry.expires_at });
        }
        let tag = |tag| EntryTag { index: index.cast_signed(), tag };
        self.tags.extend(entry.tags.into_iter().map(tag));
        if let Some(digest) = entry.personal_sha256 {
            self.personal.insert(index, SealedPersonal { digest, subject: entry.subject });
        }
    }

    /// Compares the batch with those rows. Returns how many tags were found.
    pub(super) async fn compare(
        self,
        tx: &mut PgConnection,
        vault: &Vault,
        project: ProjectId,
        range: Range<u64>,
        report: &mut Report,
    ) -> Result<u64> {
        let Self { unreadable, tags, personal, proposals, decided, .. } = self;
        personal::compare(tx, vault, project, range.clone(), personal, &unreadable, report).await?;
        proposals::compare(tx, project, range, proposals, &unreadable, report).await?;
        proposals::compare_decisions(tx, project, &decided, report).await?;
        if tags.is_empty() {
            return Ok(0);
        }
        let missing = store::lists::missing_tags(tx, project, &tags).await?;
        let found = tags.len().saturating_sub(missing.len()) as u64;
        for EntryTag { index, tag } in missing {
            report.found(Finding::TagMissing { index: unsigned(index)?, tag });
        }
        Ok(found)
    }
}
