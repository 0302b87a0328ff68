//! The statements that write a batch.

use kernel::error::{Error, Result};

use super::{
    commit::Written,
    session::{Ledger, Pushed},
};
use crate::{
    format::tree::TILE_HEIGHT,
    jobs::ExpireProposal,
    model::{Advance, Commit, NewEntry, NewPayload, NewProposal, NewTile},
    store,
};

impl<'a> Ledger<'a> {
    /// Writes the whole batch: entries and head in one statement, each level of tiles that became
    /// full in one, and new keys, personal data and proposals in one each. The number of seals
    /// changes only the number of levels.
    ///
    /// # Errors
    /// `Internal` when a push broke off; [`Code::Unavailable`](kernel::Code::Unavailable).
    pub(crate) async fn write(mut self) -> Result<Written<'a>> {
        self.require_whole()?;
        let root = self.tree.root()?;
        let advance = Advance {
            old_size: self.old_size,
            size: self.tree.size(),
            root,
            edge: self.tree.edge()?,
            verdicts: std::mem::take(&mut self.verdicts),
            at: self.at,
        };
        let entries: Vec<NewEntry<'_>> = self.pushed.iter().map(entry).collect();
        store::append::append(&mut self.unit, self.project, &entries, &advance).await?;
        for level in 0.. {
            let full = self.full_tiles(level)?;
            if full.is_empty() {
                break;
            }
            store::append::insert_tiles(&mut self.unit, self.project, level, &full).await?;
        }
        self.write_personal().await?;
        self.write_proposals().await?;
        let Self { vault, project, unit, xid, at, tree, .. } = self;
        let commit = Commit { project, size: tree.size(), root, xid };
        Ok(Written { vault, unit, commit, at, tree })
    }

    /// Returns the tiles of a level that this batch filled.
    fn full_tiles(&self, level: u8) -> Result<Vec<NewTile>> {
        let height = u32::from(TILE_HEIGHT) * (u32::from(level) + 1);
        let count = |size: u64| size.checked_shr(height).unwrap_or(0);
        let tile = |n| {
            let root = u8::try_from(height).ok().and_then(|height| self.tree.node((height, n)));
            let root =
                root.ok_or_else(|| Error::internal(format!("tile {n} of level {level} has no root")))?;
            Ok(NewTile { n, root })
        };
        (count(self.old_size)..count(self.tree.size())).map(tile).collect()
    }

    async fn write_personal(&mut self) -> Result<()> {
        let payloads: Vec<NewPayload<'_>> = self.pushed.iter().filter_map(payload).collect();
        if payloads.is_empty() {
            return Ok(());
        }
        let keys = self.keys.generated();
        store::personal::insert_keys(&mut self.unit, self.project, keys, self.at).await?;
        Ok(store::personal::insert_payloads(&mut self.unit, self.project, &payloads).await?)
    }

    /// Inserts proposals, and enqueues their ends in the traces of the requests that made them.
    async fn write_proposals(&mut self) -> Result<()> {
        let mut proposals = Vec::new();
        for seal in &self.pushed {
            let Some(expires_at) = seal.draft.expires_at(self.at) else { continue };
            proposals.push(NewProposal { index: seal.index, expires_at });
            let job = ExpireProposal { project: self.project, proposal: seal.index };
            self.unit.enqueue_traced(&job, expires_at, seal.request.traceparent.clone())?;
        }
        if proposals.is_empty() {
            return Ok(());
        }
        Ok(store::proposals::insert(&mut self.unit, self.project, &proposals).await?)
    }
}

fn entry<'p>(seal: &'p Pushed<'_>) -> NewEntry<'p> {
    NewEntry {
        index: seal.index,
        leaf: seal.leaf,
        kind: &seal.draft.kind,
        verdict: seal.draft.verdict,
        actor: &seal.draft.actor,
        session_id: seal.draft.session_id.as_deref(),
        subject: seal.draft.subject.as_deref(),
        tags: &seal.draft.tags,
        entry: &seal.entry,
    }
}

fn payload<'p>(seal: &'p Pushed<'_>) -> Option<NewPayload<'p>> {
    let (subject, ciphertext) = (seal.draft.subject.as_deref()?, seal.ciphertext.as_deref()?);
    Some(NewPayload { index: seal.index, subject, ciphertext })
}
