//! Appending, inside a transaction: the one way in which a log grows.
//!
//! Whoever holds a [`Ledger`] holds the lock of the log's head until the transaction ends. That lock is all that keeps batches apart: under it indexes are
//! contiguous, times never go back, and the tree is continued from the edge that the last batch left.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use sqlx::PgConnection;
use tlog_tiles::{Hash, RecordProof, record_hash};

use super::{
    Vault,
    entry::{Draft, Verdict},
    jobs::ExpireProposal,
    personal::{SubjectKey, unreadable, whose},
    store::{self, Rows},
    tree::{TILE_HEIGHT, Tree},
};
use kernel::{
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
    queue::enqueue_each,
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
    keys: BTreeMap<String, Key>,
    new_keys: Vec<(&'a str, Vec<u8>)>,
    /// Index, subject and ciphertext.
    personal: Vec<(u64, &'a str, Vec<u8>)>,
    proposals: Vec<(u64, Timestamp)>,
    /// Whether a push broke off.
    half: bool,
}

/// What is known of a subject's key.
enum Key {
    Open(SubjectKey),
    /// It is there, and does not open under any key of this replica.
    Shut,
    /// It is made when it is needed.
    None,
}

/// A seal that is whole, but not yet in the tree.
struct Ready<'a> {
    draft: &'a Draft,
    entry: Vec<u8>,
    leaf: Hash,
    personal: Option<(&'a str, Vec<u8>)>,
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
            keys: BTreeMap::new(),
            new_keys: Vec::new(),
            personal: Vec::new(),
            proposals: Vec::new(),
            half: false,
        })
    }

    /// How large the log is, with what was pushed.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Opens the keys of the subjects whose personal data these seals have: before they are pushed. No round trip where none has some.
    pub(super) async fn open_keys(
        &mut self,
        tx: &mut PgConnection,
        drafts: impl Iterator<Item = &Draft>,
    ) -> Result<()> {
        let subjects = drafts.filter(|draft| draft.personal.is_some()).filter_map(|draft| draft.subject.as_deref());
        let subjects: BTreeSet<&str> = subjects.filter(|subject| !self.keys.contains_key(*subject)).collect();
        if subjects.is_empty() {
            return Ok(());
        }
        let subjects: Vec<&str> = subjects.into_iter().collect();
        self.keys.extend(subjects.iter().map(|subject| ((*subject).to_owned(), Key::None)));
        for (subject, wrapped) in store::subject_keys(tx, self.project, &subjects).await? {
            let opened = self.vault.keks.unwrap(&whose(self.project, &subject), &wrapped);
            self.keys.insert(subject, opened.map_or(Key::Shut, Key::Open));
        }
        Ok(())
    }

    /// Puts seals at the log's end, all or none.
    ///
    /// # Errors
    /// Those of one of the seals: then the ledger is as it was, and others can be pushed.
    pub(super) fn push_all(&mut self, drafts: &'a [Draft]) -> Result<Vec<Placed>> {
        let (first, at) = (self.tree.size(), self.at);
        let mut made = BTreeMap::new();
        let ready = |(index, draft)| self.ready(index, draft, &mut made);
        let ready = (first..).zip(drafts).map(ready).collect::<Result<Vec<_>>>()?;
        // From here on nothing fails but the tree; if that does, nothing of the batch is written.
        self.half = true;
        for (subject, (key, wrapped)) in made {
            self.keys.insert(subject.to_owned(), Key::Open(key));
            self.new_keys.push((subject, wrapped));
        }
        let mut placed = Vec::with_capacity(ready.len());
        for (index, Ready { draft, entry, leaf, personal }) in (first..).zip(ready) {
            self.tree.push(leaf)?;
            *self.verdicts.entry(draft.verdict).or_default() += 1;
            self.rows.push(index, leaf, draft, entry);
            self.personal.extend(personal.map(|(subject, sealed)| (index, subject, sealed)));
            self.proposals.extend(draft.expires_at(at).map(|expires_at| (index, expires_at)));
            placed.push(Placed { index, leaf });
        }
        self.half = false;
        Ok(placed)
    }

    /// Puts one seal at the log's end.
    pub(super) fn push(&mut self, draft: &'a Draft) -> Result<Placed> {
        let placed = self.push_all(std::slice::from_ref(draft))?;
        placed.into_iter().next().ok_or_else(|| Error::internal("a seal has no place"))
    }

    /// Makes a seal whole. Keys that it takes and that nobody has yet are `made`.
    fn ready(
        &self,
        index: u64,
        draft: &'a Draft,
        made: &mut BTreeMap<&'a str, (SubjectKey, Vec<u8>)>,
    ) -> Result<Ready<'a>> {
        let entry = draft.entry(index, self.at)?;
        let leaf = record_hash(&entry);
        let ids = &self.vault.core.ids;
        let personal = match (&draft.personal, draft.subject.as_deref()) {
            (None, _) => None,
            (Some(_), None) => return Err(Error::internal("personal data of nobody passed the checks")),
            (Some(personal), Some(subject)) => {
                let key = match self.keys.get(subject) {
                    Some(Key::Open(key)) => key,
                    Some(Key::Shut) => return Err(unreadable()),
                    Some(Key::None) => match made.entry(subject) {
                        Entry::Occupied(made) => &made.into_mut().0,
                        Entry::Vacant(place) => {
                            let new = self.vault.keks.new_key(ids, &whose(self.project, subject))?;
                            &place.insert(new).0
                        }
                    },
                    None => return Err(Error::internal("a subject's key was not looked for")),
                };
                Some((subject, key.seal(ids, index, personal)?))
            }
        };
        Ok(Ready { draft, entry, leaf, personal })
    }

    /// Writes everything that was pushed: entries and head in one statement, each level of tiles that became full in one, new keys, personal data,
    /// proposals and their jobs in one each. How many seals there are changes none of that but the levels. The caller commits.
    pub(super) async fn write(mut self, tx: &mut PgConnection) -> Result<Written> {
        if self.half {
            return Err(Error::internal("seals were pushed half"));
        }
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
        store::insert_subject_keys(tx, self.project, &self.new_keys, self.at).await?;
        Ok(store::insert_payloads(tx, self.project, &self.personal).await?)
    }

    async fn write_proposals(&self, tx: &mut PgConnection) -> Result<()> {
        if self.proposals.is_empty() {
            return Ok(());
        }
        store::insert_proposals(tx, self.project, &self.proposals).await?;
        let job = |(proposal, expires_at): &(u64, Timestamp)| {
            (ExpireProposal { project: self.project, proposal: *proposal }, *expires_at)
        };
        enqueue_each(tx, &self.proposals.iter().map(job).collect::<Vec<_>>()).await
    }
}
