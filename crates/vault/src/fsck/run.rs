//! A check under way: reading the entries, batch by batch.

use std::{cmp::Reverse, collections::BTreeMap};

use futures::TryStreamExt;
use kernel::{
    DbScope,
    clock::Timestamp,
    db::Tx,
    error::Result,
    ids::{AuditId, LogId, ProjectId},
};
use tlog_tiles::record_hash;

use super::{
    audit, batch::Batch, finding::Finding, known::KnownHead, model::EntryRow, published::Published,
    read::read, report::Report, store, tiles::Tiles,
};
use crate::{
    convert::unsigned,
    format::{cosignature::WitnessKey, tree::Tree},
    model::{Entry, Verdict},
    vault::Vault,
};

/// The most entries that one transaction reads.
const BATCH: u64 = 4_096;

/// A check under way.
pub(super) struct Run<'a> {
    pub(super) vault: &'a Vault,
    pub(super) project: ProjectId,
    pub(super) origin: String,
    pub(super) witnesses: &'a [WitnessKey],
    /// Heads that are known from elsewhere, the smallest last. Those that were compared are gone.
    pub(super) against: Vec<KnownHead>,
    pub(super) published: Published,
    /// The size of the log when the check began.
    pub(super) size: u64,
    /// The end of the entries that were read.
    next: u64,
    /// The tree that the entries make; `None` once one is missing, since the rest then makes
    /// another tree.
    pub(super) tree: Option<(Tree, Tiles)>,
    pub(super) at: Option<Timestamp>,
    pub(super) verdicts: BTreeMap<Verdict, u64>,
    /// The number of tags that were found.
    pub(super) tags: u64,
    /// The last event of the audit log that was digested.
    audited: Option<AuditId>,
    /// The largest size whose checkpoint was compared.
    pub(super) checkpoint: u64,
    pub(super) report: Report,
}

/// Begins a transaction that sees one moment.
pub(super) async fn begin(vault: &Vault, project: ProjectId) -> Result<Tx> {
    let mut tx = vault.core.db.begin(DbScope::Job(project)).await?;
    store::log::one_moment(&mut tx).await?;
    Ok(tx)
}

impl<'a> Run<'a> {
    pub(super) fn new(
        vault: &'a Vault,
        log: LogId,
        witnesses: &'a [WitnessKey],
        against: &[KnownHead],
        size: u64,
    ) -> Self {
        let is_of_log = |known: &&KnownHead| known.log == log && known.size > 0;
        let mut against: Vec<KnownHead> = against.iter().filter(is_of_log).copied().collect();
        against.sort_by_key(|known| Reverse(known.size));
        let mut report = Report::new(log, size);
        let larger = against.iter().take_while(|known| known.size > size).count();
        for known in against.drain(..larger) {
            report.found(Finding::SmallerThanSigned { size, signed: known.size });
        }
        Self {
            vault,
            project: log.project(),
            origin: vault.origin(log),
            witnesses,
            against,
            published: Published::new(vault.blinded(log)),
            size,
            next: 0,
            tree: Some((Tree::default(), Tiles::default())),
            at: None,
            verdicts: BTreeMap::new(),
            tags: 0,
            audited: None,
            checkpoint: 0,
            report,
        }
    }

    /// Compares the entries from `from` on, and the rows that belong to them. Returns where the
    /// next batch begins.
    pub(super) async fn batch(&mut self, from: u64) -> Result<u64> {
        let mut to = (from + BATCH).min(self.size);
        self.published.read_to(self.vault, to).await?;
        let mut tx = begin(self.vault, self.project).await?;
        let mut batch = Batch::default();
        if self.tree.is_some() {
            let checkpoints = store::log::checkpoints(&mut tx, self.project, from..to).await?;
            let cosignatures = store::log::cosignatures(&mut tx, self.project, from..to).await?;
            batch.checkpoints = checkpoints.into_iter().peekable();
            batch.cosignatures = cosignatures.into_iter().peekable();
        }
        let mut rows = store::log::entries(&mut tx, self.project, from..to);
        let mut empty = true;
        while let Some(row) = rows.try_next().await? {
            empty = false;
            self.entry(&mut batch, row)?;
        }
        drop(rows);
        if empty {
            // A head that was made large must not cost a statement for every batch that is missing.
            let next = store::log::next_index(&mut tx, self.project, to..self.size).await?;
            to = next.map_or(Ok(self.size), unsigned)?;
        }
        self.skip_to(to);
        if let Some((tree, tiles)) = &mut self.tree {
            tiles.compare(&mut tx, self.project, &mut self.report).await?;
            // Keeps only the nodes that are still needed.
            *tree = Tree::at(tree.size(), &tree.edge()?)?;
        }
        let digests = std::mem::take(&mut batch.digests);
        audit::compare(&mut tx, self.project, digests, &mut self.audited, &mut self.report).await?;
        self.tags += batch.compare(&mut tx, self.vault, self.project, from..to, &mut self.report).await?;
        tx.commit().await?;
        Ok(to)
    }

    /// Reports the entries that are missing up to `index`.
    fn skip_to(&mut self, index: u64) {
        if index > self.next {
            let (first, count) = (self.next, index - self.next);
            self.report.found(Finding::EntriesMissing { first, count });
            self.next = index;
            self.tree = None;
        }
    }

    fn entry(&mut self, batch: &mut Batch, row: EntryRow) -> Result<()> {
        let index = unsigned(row.index)?;
        if index < self.next {
            self.report.found(Finding::EntryTwice { index });
            return Ok(());
        }
        self.skip_to(index);
        self.boundary(index, row.at);
        self.next = index + 1;
        let leaf = record_hash(&row.entry);
        if row.leaf_hash != leaf.0 {
            self.report.found(Finding::LeafHash { index });
        }
        if self.at.is_some_and(|before| row.at < before) {
            self.report.found(Finding::TimeWentBack { index });
        }
        self.at = Some(row.at);
        match read(&row.entry) {
            Ok(entry) => {
                self.columns(index, &row, &entry);
                *self.verdicts.entry(entry.verdict).or_default() += 1;
                batch.entry(index, leaf, entry);
            }
            Err(why) => {
                batch.unreadable.insert(index);
                self.report.found(Finding::EntryUnreadable { index, why });
            }
        }
        if let Some((tree, tiles)) = &mut self.tree {
            tree.push(leaf)?;
            tiles.push(leaf)?;
            self.roots(batch, index + 1, row.at)?;
        }
        Ok(())
    }

    /// Requires a checkpoint where the time changes: the entries of one commit have one time.
    fn boundary(&mut self, size: u64, at: Timestamp) {
        let changes = self.at.is_some_and(|before| before < at);
        if self.tree.is_some() && changes && self.checkpoint != size {
            self.report.found(Finding::CheckpointMissing { size });
        }
    }

    fn columns(&mut self, index: u64, row: &EntryRow, entry: &Entry) {
        if entry.index != index {
            self.report.found(Finding::EntryMoved { index, says: entry.index });
        }
        for (column, same) in [
            ("at", row.at == entry.at),
            ("kind", row.kind == entry.kind),
            ("verdict", row.verdict == entry.verdict.as_str()),
            ("actor", row.actor == entry.actor),
            ("session_id", row.session_id == entry.session_id),
            ("subject", row.subject == entry.subject),
        ] {
            if !same {
                self.report.found(Finding::Column { index, column });
            }
        }
    }
}
