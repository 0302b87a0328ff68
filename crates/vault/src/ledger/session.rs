//! A log whose head is locked.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use kernel::{
    Unit,
    caller::RequestContext,
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
};
use tlog_tiles::{Hash, record_hash};

use super::subject_keys::{NewKeys, SubjectKeys};
use crate::{
    convert::{hashes, unsigned},
    draft::Draft,
    format::tree::Tree,
    model::Verdict,
    personal::Owner,
    store,
    vault::Vault,
};

/// A log whose head is locked by a unit of work.
pub(crate) struct Ledger<'a> {
    pub(super) vault: &'a Vault,
    pub(super) project: ProjectId,
    pub(super) unit: Unit<'a>,
    pub(super) xid: i64,
    /// The time of every entry of this batch.
    pub(super) at: Timestamp,
    pub(super) old_size: u64,
    pub(super) tree: Tree,
    pub(super) verdicts: BTreeMap<Verdict, u64>,
    pub(super) keys: SubjectKeys,
    pub(super) pushed: Vec<Pushed<'a>>,
    /// Set while a push is under way: one that broke off leaves it set.
    broken: bool,
}

/// A seal with its place in the tree.
pub(super) struct Pushed<'a> {
    pub(super) index: u64,
    pub(super) leaf: Hash,
    pub(super) draft: Cow<'a, Draft>,
    pub(super) entry: Vec<u8>,
    /// Its personal data, encrypted.
    pub(super) ciphertext: Option<Vec<u8>>,
    /// The request that asked for it.
    pub(super) request: &'a RequestContext,
}

impl<'a> Ledger<'a> {
    /// Waits for the log's lock, which keeps others from appending to the project's log.
    ///
    /// # Errors
    /// [`Code::LogBehind`](kernel::Code::LogBehind),
    /// [`Code::Unavailable`](kernel::Code::Unavailable).
    pub(crate) async fn lock(vault: &'a Vault, mut unit: Unit<'a>, project: ProjectId) -> Result<Self> {
        vault.guard.pass()?;
        let head = store::append::lock(&mut unit).await?;
        let tree = Tree::at(unsigned(head.size)?, &hashes(&head.edge)?)?;
        Ok(Self {
            vault,
            project,
            unit,
            xid: head.xid,
            // The clocks of replicas differ; the log's time must not go back because of that.
            at: vault.core.clock.now().max(head.at),
            old_size: tree.size(),
            tree,
            verdicts: head.verdicts.0,
            keys: SubjectKeys::default(),
            pushed: Vec::new(),
            broken: false,
        })
    }

    /// Returns the unit of work, to read and write beside the log.
    pub(crate) fn unit(&mut self) -> &mut Unit<'a> {
        &mut self.unit
    }

    /// Returns the size of the log, with the pushed seals.
    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Reads the keys of the subjects whose personal data these seals have. To be called before
    /// they are pushed. Takes no round trip when none has any.
    ///
    /// # Errors
    /// [`Code::Unavailable`](kernel::Code::Unavailable).
    pub(crate) async fn load_keys(&mut self, drafts: impl Iterator<Item = &Draft>) -> Result<()> {
        let with_data = drafts.filter(|draft| draft.personal.is_some());
        let subjects = with_data.filter_map(|draft| draft.subject.as_deref()).collect();
        self.keys.load(&mut self.unit, &self.vault.key_wrap, self.project, subjects).await
    }

    /// Adds one seal at the log's end, on behalf of the unit's caller. Returns its index.
    ///
    /// # Errors
    /// As [`Ledger::push_all`].
    pub(crate) fn push(&mut self, draft: Draft) -> Result<u64> {
        let request = self.unit.caller().request;
        Ok(self.push_all([Cow::Owned(draft)], request)?.start)
    }

    /// Adds seals that `request` asked for at the log's end, all or none. Returns their indexes.
    ///
    /// # Errors
    /// `Internal` when the key of a seal's subject is unreadable. The ledger is then as it was, and
    /// other seals can be pushed.
    pub(crate) fn push_all(
        &mut self,
        drafts: impl IntoIterator<Item = Cow<'a, Draft>>,
        request: &'a RequestContext,
    ) -> Result<Range<u64>> {
        let first = self.tree.size();
        let mut new_keys = NewKeys::default();
        let place = |(index, draft)| self.place(index, draft, request, &mut new_keys);
        let pushed = (first..).zip(drafts).map(place).collect::<Result<Vec<_>>>()?;
        // From here on nothing fails but the tree; if that does, nothing of the batch is written.
        self.broken = true;
        self.keys.add(new_keys);
        for seal in &pushed {
            self.tree.push(seal.leaf)?;
            *self.verdicts.entry(seal.draft.verdict).or_default() += 1;
        }
        self.pushed.extend(pushed);
        self.broken = false;
        Ok(first..self.tree.size())
    }

    /// Writes the entry of a seal at `index`, and encrypts its personal data.
    fn place(
        &self,
        index: u64,
        draft: Cow<'a, Draft>,
        request: &'a RequestContext,
        new_keys: &mut NewKeys,
    ) -> Result<Pushed<'a>> {
        let entry = draft.entry(index, self.at)?;
        let ids = &self.vault.core.ids;
        let ciphertext = match (&draft.personal, draft.subject.as_deref()) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(Error::internal("personal data without a subject passed the checks"));
            }
            (Some(personal), Some(subject)) => {
                let owner = Owner { project: self.project, subject };
                let key = self.keys.get(new_keys, &self.vault.key_wrap, ids, owner)?;
                Some(key.encrypt(ids, index, personal)?)
            }
        };
        Ok(Pushed { index, leaf: record_hash(&entry), draft, entry, ciphertext, request })
    }

    /// Requires that every push ended.
    ///
    /// # Errors
    /// `Internal` when one broke off half way.
    pub(super) fn require_whole(&self) -> Result<()> {
        if self.broken { Err(Error::internal("a push broke off half way")) } else { Ok(()) }
    }
}
