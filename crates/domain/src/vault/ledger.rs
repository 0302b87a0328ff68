//! Appending, inside a transaction: the one way in which a log grows.
//!
//! Whoever holds a [`Ledger`] holds the lock of the log's head until the transaction ends. That lock is all that keeps batches apart: under it indexes are
//! contiguous, times never go back, and the tree is continued from the edge that the last batch left.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use tlog_tiles::{Hash, RecordProof, record_hash};

use super::{
    Vault,
    entry::{Draft, Verdict},
    jobs::ExpireProposal,
    personal::SubjectKey,
    store::{self, Rows},
    tree::{TILE_HEIGHT, TILE_WIDTH, Tree},
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
    queue::Enqueue,
};

/// Where a seal stands.
#[derive(Debug, Clone)]
pub struct Placed {
    /// From 0.
    pub index: u64,
    /// SHA-256 over 0x00 and the entry.
    pub leaf: Hash,
}

/// A log whose head is locked.
pub(super) struct Ledger<'a> {
    vault: &'a Vault,
    project: ProjectId,
    old_size: u64,
    tree: Tree,
    verdicts: BTreeMap<Verdict, u64>,
    at: Timestamp,
    xid: i64,
    rows: Rows<'a>,
    personal: Vec<(u64, &'a Draft)>,
    proposals: Vec<(u64, Timestamp)>,
}

/// A batch that was written but not yet committed, and after that, what it made of the log.
pub(super) struct Written {
    /// Whose log.
    pub(super) project: ProjectId,
    /// How large the log became.
    pub(super) size: u64,
    /// Its root then.
    pub(super) root: Hash,
    /// When.
    pub(super) at: Timestamp,
    /// The transaction, to ask for later how it ended.
    pub(super) xid: i64,
    tree: Tree,
}

impl Written {
    /// The proof that a seal of this batch is in the log as the batch left it.
    pub(super) fn prove(&self, index: u64) -> Result<RecordProof> {
        self.tree.prove(index)
    }
}

impl<'a> Ledger<'a> {
    /// Waits for whoever appends to the log of the transaction's project, and then keeps others from it.
    ///
    /// # Errors
    /// Those of the guard against rollback, and of the database.
    pub(super) async fn lock(tx: &mut PgConnection, vault: &'a Vault, project: ProjectId) -> Result<Ledger<'a>> {
        vault.guard.pass()?;
        let head = store::lock(tx).await?;
        let tree = Tree::at(head.size()?, &head.edge()?)?;
        Ok(Self {
            vault,
            project,
            old_size: tree.size(),
            tree,
            verdicts: head.verdicts.0,
            // Clocks of replicas differ; the log's time does not go back for that.
            at: vault.core.clock.now().max(head.at),
            xid: head.xid,
            rows: Rows::default(),
            personal: Vec::new(),
            proposals: Vec::new(),
        })
    }

    /// How large the log is, with what was pushed.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Puts a seal at the log's end.
    pub(super) fn push(&mut self, draft: &'a Draft) -> Result<Placed> {
        let index = self.tree.size();
        let entry = draft.entry(index, self.at)?;
        let leaf = record_hash(&entry);
        self.tree.push(leaf)?;
        *self.verdicts.entry(draft.verdict).or_default() += 1;
        self.rows.push(index, leaf, draft, entry);
        if draft.personal.is_some() {
            self.personal.push((index, draft));
        }
        if let Some(waits) = draft.waits {
            self.proposals.push((index, self.at + waits));
        }
        Ok(Placed { index, leaf })
    }

    /// Writes everything that was pushed, in statements whose number does not depend on how much that is. The caller commits.
    pub(super) async fn write(mut self, tx: &mut PgConnection) -> Result<Written> {
        let (size, root) = (self.tree.size(), self.tree.root()?);
        let advance = store::Advance {
            project: self.project,
            old_size: self.old_size,
            size,
            root,
            edge: self.tree.edge()?,
            verdicts: std::mem::take(&mut self.verdicts),
            at: self.at,
        };
        store::append(tx, &self.rows, &advance).await?;
        for level in 0.. {
            let full = self.full_tiles(level)?;
            if full.is_empty() {
                break;
            }
            store::insert_tiles(tx, self.project, level, &full).await?;
        }
        self.write_personal(tx).await?;
        self.write_proposals(tx).await?;
        Ok(Written { project: self.project, size, root, at: self.at, xid: self.xid, tree: self.tree })
    }

    /// The tiles of a level that this batch filled, with their roots.
    fn full_tiles(&self, level: u8) -> Result<Vec<(u64, Hash)>> {
        let height = u32::from(TILE_HEIGHT) * (u32::from(level) + 1);
        let count = |size: u64| size.checked_shr(height).unwrap_or(0);
        let root = |n| {
            let root = u8::try_from(height).ok().and_then(|height| self.tree.node((height, n)));
            root.map(|root| (n, root)).ok_or_else(|| Error::internal(format!("tile {n} of level {level} has no root")))
        };
        (count(self.old_size)..count(self.tree.size())).map(root).collect()
    }

    async fn write_personal(&self, tx: &mut PgConnection) -> Result<()> {
        if self.personal.is_empty() {
            return Ok(());
        }
        let core = &self.vault.core;
        let subjects: Vec<&str> = self.personal.iter().filter_map(|(_, draft)| draft.subject.as_deref()).collect();
        let mut keys: BTreeMap<String, SubjectKey> = BTreeMap::new();
        for (subject, wrapped) in store::subject_keys(tx, self.project, &subjects).await? {
            let key = self.vault.keks.unwrap(&whose(self.project, &subject), &wrapped)?;
            keys.insert(subject, key);
        }
        let mut new = Vec::new();
        for subject in subjects {
            if !keys.contains_key(subject) {
                let (key, wrapped) = self.vault.keks.new_key(&core.ids, &whose(self.project, subject))?;
                keys.insert(subject.to_owned(), key);
                new.push((subject, wrapped));
            }
        }
        store::insert_subject_keys(tx, self.project, &new, self.at).await?;
        let mut sealed = Vec::with_capacity(self.personal.len());
        for (index, draft) in &self.personal {
            if let Some((subject, personal)) = draft.subject.as_deref().zip(draft.personal.as_ref())
                && let Some(key) = keys.get(subject)
            {
                sealed.push((*index, subject, key.seal(&core.ids, *index, personal)?));
            }
        }
        Ok(store::insert_payloads(tx, self.project, &sealed).await?)
    }

    async fn write_proposals(&self, tx: &mut PgConnection) -> Result<()> {
        if self.proposals.is_empty() {
            return Ok(());
        }
        store::insert_proposals(tx, self.project, &self.proposals).await?;
        let mut jobs: BTreeMap<Timestamp, Vec<ExpireProposal>> = BTreeMap::new();
        for (proposal, expires_at) in &self.proposals {
            let job = ExpireProposal { project: self.project, proposal: *proposal };
            jobs.entry(*expires_at).or_default().push(job);
        }
        for (expires_at, jobs) in jobs {
            Enqueue::at(expires_at).all(tx, &jobs).await?;
        }
        Ok(())
    }
}

/// What a subject's key is wrapped for.
pub(super) fn whose(project: ProjectId, subject: &str) -> String {
    format!("{project}/{subject}")
}

/// How many hashes the tile at `level` and `n` of a log of `size` has.
pub(super) fn tile_width(size: u64, level: u8, n: u64) -> u64 {
    let hashes = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level)).unwrap_or(0);
    n.checked_mul(TILE_WIDTH).map_or(0, |first| hashes.saturating_sub(first).min(TILE_WIDTH))
}
