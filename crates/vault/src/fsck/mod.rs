//! Checking a log: everything that is kept of it is made anew from the entries, and compared.
//!
//! What is below a size never changes, so a check fixes on the head that it finds and appends go on meanwhile. Entries are read once, in batches, each with
//! all that belongs to it in a transaction that sees one moment: what is erased or decided meanwhile is seen with the entry that says so, or not at all.

mod against;
mod audit;
mod batch;
mod finding;
mod published;
mod report;
mod store;
mod tags;
mod tiles;

use std::collections::BTreeMap;

use futures::TryStreamExt;
use serde_json::json;
use signed_note::Signature;
use tlog_tiles::{Checkpoint, Hash, record_hash};

pub use against::{Known, NotKnown};
pub use finding::{About, Finding};
pub use report::Report;

use self::{
    batch::Batch,
    published::Published,
    store::{EntryRow, HeadRow},
    tiles::Tiles,
};
use super::{
    Vault, Verdict,
    cosignature::{NotCosigned, WitnessKey},
    jobs::CheckLog,
    json,
    list::Entry,
    publish::META,
    store::{hashes, unsigned},
    tree::Tree,
};
use kernel::{
    Core,
    clock::Timestamp,
    db::{Caller, Tx},
    error::{Error, Result},
    ids::{AuditId, LogId, ProjectId},
    queue::Enqueue,
};

/// How many entries one transaction reads.
const BATCH: u64 = 4_096;
/// How many logs the nightly check begins with at a time, and how long after those the next: all at once would keep other jobs waiting.
const LOGS_AT_A_TIME: usize = 20;
const BETWEEN: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// How many names the meta-log is asked for at a time.
const NAMES_AT_A_TIME: usize = 1_000;

/// What a log is compared with, beside its own entries.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Whose cosignatures are known how to verify.
    pub witnesses: Vec<WitnessKey>,
    /// What was signed and kept elsewhere; that of other logs is left out.
    pub against: Vec<Known>,
}

/// Checks a log. `progress` is told again and again how many entries are done, and of how many.
///
/// # Errors
/// Those of the database: then nothing is known of the log.
pub async fn check(
    vault: &Vault,
    log: LogId,
    check: &Check,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Report> {
    let project = log.project();
    let mut tx = begin(vault, project).await?;
    let head = store::head(&mut tx, project).await?;
    tx.commit().await?;
    let size = head.as_ref().map_or(Ok(0), |head| unsigned(head.size))?;
    let mut run = Run::new(vault, log, check, size);
    let mut from = 0;
    while from < size {
        progress(from, size);
        from = run.batch(from).await?;
    }
    progress(size, size);
    run.compare_head(head.as_ref())?;
    run.compare_rest(head.is_some()).await?;
    Ok(run.report)
}

async fn begin(vault: &Vault, project: ProjectId) -> Result<Tx> {
    let mut tx = vault.core.db.begin(Caller::Job(project)).await?;
    store::one_moment(&mut tx).await?;
    Ok(tx)
}

/// A check under way.
struct Run<'a> {
    vault: &'a Vault,
    project: ProjectId,
    origin: String,
    witnesses: &'a [WitnessKey],
    /// By size; those that were compared are gone.
    against: Vec<Known>,
    published: Published,
    size: u64,
    /// How far the entries were read.
    next: u64,
    /// What the entries make; none once one is missing, since everything after it is another tree then.
    tree: Option<(Tree, Tiles)>,
    at: Option<Timestamp>,
    verdicts: BTreeMap<Verdict, u64>,
    tags: u64,
    /// How far the audit log was digested.
    audited: Option<AuditId>,
    /// The largest size whose checkpoint was compared.
    checkpoint: u64,
    report: Report,
}

impl<'a> Run<'a> {
    fn new(vault: &'a Vault, log: LogId, check: &'a Check, size: u64) -> Self {
        let mut against: Vec<Known> =
            check.against.iter().filter(|known| known.log == log && known.size > 0).copied().collect();
        against.sort_by_key(|known| std::cmp::Reverse(known.size));
        let mut run = Self {
            vault,
            project: log.project(),
            origin: vault.origin(log),
            witnesses: &check.witnesses,
            against,
            published: Published::of(vault.blinded(log)),
            size,
            next: 0,
            tree: Some((Tree::default(), Tiles::default())),
            at: None,
            verdicts: BTreeMap::new(),
            tags: 0,
            audited: None,
            checkpoint: 0,
            report: Report::new(log, size),
        };
        while let Some(known) = run.against.first().copied().filter(|known| known.size > size) {
            run.report.found(Finding::SmallerThanSigned { size, signed: known.size });
            run.against.remove(0);
        }
        run
    }

    /// Compares the entries from `from` on, and what belongs to them. Returns where the next batch begins.
    async fn batch(&mut self, from: u64) -> Result<u64> {
        let mut to = (from + BATCH).min(self.size);
        self.published.read_to(self.vault, to).await?;
        let mut tx = begin(self.vault, self.project).await?;
        let mut batch = Batch::default();
        if self.tree.is_some() {
            batch.checkpoints = store::checkpoints(&mut tx, self.project, (from, to)).await?.into_iter().peekable();
            batch.cosignatures = store::cosignatures(&mut tx, self.project, (from, to)).await?.into_iter().peekable();
        }
        let mut rows = store::entries(&mut tx, self.project, (from, to));
        let mut empty = true;
        while let Some(row) = rows.try_next().await? {
            empty = false;
            self.entry(&mut batch, row)?;
        }
        drop(rows);
        if empty {
            // A head that was made large must not cost a statement for every batch that there is not.
            let next = store::next_index(&mut tx, self.project, (to, self.size)).await?;
            to = next.map_or(Ok(self.size), unsigned)?;
        }
        self.skip_to(to);
        if let Some((tree, tiles)) = &mut self.tree {
            tiles.compare(&mut tx, self.project, &mut self.report).await?;
            // Of the nodes, those that go on being needed.
            *tree = Tree::at(tree.size(), &tree.edge()?)?;
        }
        let digests = std::mem::take(&mut batch.digests);
        audit::compare(&mut tx, self.project, digests, &mut self.audited, &mut self.report).await?;
        self.tags += batch.compare(&mut tx, self.vault, self.project, (from, to), &mut self.report).await?;
        tx.commit().await?;
        Ok(to)
    }

    /// Notes that there is no entry until `index`.
    fn skip_to(&mut self, index: u64) {
        if index > self.next {
            self.report.found(Finding::EntriesMissing { first: self.next, count: index - self.next });
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

    /// A commit's entries have one time; so where it changes the log was committed, and has a checkpoint.
    fn boundary(&mut self, size: u64, at: Timestamp) {
        if self.tree.is_some() && self.at.is_some_and(|before| before < at) && self.checkpoint != size {
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

    /// Compares all that states a root for this size.
    fn roots(&mut self, batch: &mut Batch, size: u64, at: Timestamp) -> Result<()> {
        let Some((tree, _)) = &self.tree else { return Ok(()) };
        let here = size.cast_signed();
        while let Some(checkpoint) = batch.checkpoints.next_if(|checkpoint| checkpoint.size == here) {
            self.checkpoint = size;
            if checkpoint.root != tree.root()?.0 {
                self.report.found(Finding::CheckpointRoot { size });
            }
            if checkpoint.at != at {
                self.report.found(Finding::CheckpointTime { size });
            }
        }
        if size == self.size && self.checkpoint != size {
            self.report.found(Finding::CheckpointMissing { size });
        }
        while let Some((_, witness, line)) = batch.cosignatures.next_if(|(signed, ..)| *signed == here) {
            let body = body(&self.origin, size, tree.root()?)?;
            match cosigned(self.witnesses, &body, &line) {
                Ok(()) => {}
                Err(NotCosigned::OtherKey) => {
                    self.report.note(format!("the cosignatures of {witness} were not verified: its key is not known"));
                }
                Err(why) => self.report.found(Finding::Cosignature { size, witness, why: why.to_string() }),
            }
        }
        self.published.compare(size, tree.root()?, &mut self.report);
        while let Some(known) = self.against.pop_if(|known| known.size == size) {
            if known.root != tree.root()? {
                self.report.found(Finding::OtherThanSigned { size });
            }
        }
        Ok(())
    }

    /// Compares the head with what the entries made.
    fn compare_head(&mut self, head: Option<&HeadRow>) -> Result<()> {
        let (Some(head), Some((tree, _))) = (head, &self.tree) else { return Ok(()) };
        if hashes(&head.edge).ok() != Some(tree.edge()?) {
            self.report.found(Finding::HeadEdge { size: self.size });
        }
        if self.at.is_some_and(|at| at != head.at) {
            self.report.found(Finding::HeadTime);
        }
        let counted = json!(self.verdicts);
        if counted != head.verdicts {
            let finding = Finding::HeadVerdicts { has: head.verdicts.to_string(), wants: counted.to_string() };
            self.report.found(finding);
        }
        Ok(())
    }

    /// Compares what belongs to no entry.
    async fn compare_rest(&mut self, headed: bool) -> Result<()> {
        // Before the head is looked at: what is published later is none of this.
        let published = std::mem::take(&mut self.published).largest(self.vault).await?;
        let mut tx = begin(self.vault, self.project).await?;
        let beyond = store::beyond(&mut tx, self.project).await?;
        if !headed && !beyond.is_empty() {
            self.report.found(Finding::HeadMissing);
        }
        for (table, from) in beyond {
            self.report.found(Finding::Beyond { table, from: unsigned(from)? });
        }
        tags::compare(&mut tx, self.project, (self.size, self.tags), &mut self.report).await?;
        let now = store::head(&mut tx, self.project).await?.map_or(0, |head| head.size);
        if let Some((Some(was), Some(at))) = store::last_check(&mut tx, self.project).await?
            && was > now
        {
            self.report.found(Finding::Shrunk { was: unsigned(was)?, at });
        }
        if let Some((published, entry)) = published
            && published > unsigned(now)?
        {
            self.report.found(Finding::SmallerThanPublished { size: unsigned(now)?, published, entry });
        }
        Ok(tx.commit().await?)
    }
}

/// What an entry says, if its bytes are what an entry's are.
fn read(bytes: &[u8]) -> Result<Entry, String> {
    let value = json::parse(bytes).map_err(|why| why.to_string())?;
    if json::canonical(&value).ok().as_deref() != Some(bytes) {
        return Err("it is not written canonically".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|why| why.to_string())
}

/// The text that is signed.
fn body(origin: &str, size: u64, root: Hash) -> Result<String> {
    let checkpoint = Checkpoint::new(origin, size, root, "").map_err(|why| Error::internal(format!("{why:?}")))?;
    String::from_utf8(checkpoint.to_bytes()).map_err(Error::internal)
}

fn cosigned(witnesses: &[WitnessKey], body: &str, line: &str) -> Result<(), NotCosigned> {
    Signature::from_bytes(line.as_bytes()).map_err(|_| NotCosigned::Form)?;
    let judged = witnesses.iter().map(|witness| witness.verify(body, line).map(drop));
    let mut judged = judged.filter(|judged| *judged != Err(NotCosigned::OtherKey));
    judged.next().unwrap_or(Err(NotCosigned::OtherKey))
}

/// Keeps what came of a check, for [`log`](super::log()) to show.
///
/// # Errors
/// Those of the database.
pub async fn note(core: &Core, report: &Report) -> Result<()> {
    let mut tx = core.db.begin(Caller::Job(report.log.project())).await?;
    let ended = (core.clock.now(), report.size, report.summary());
    store::note(&mut tx, report.log.project(), (ended.0, ended.1, ended.2.as_deref())).await?;
    Ok(tx.commit().await?)
}

/// Every log there is, and every one of which the meta-log says that there was.
///
/// # Errors
/// Those of the database.
pub async fn logs(vault: &Vault) -> Result<Vec<LogId>> {
    let mut tx = vault.core.db.begin(Caller::Worker).await?;
    let (mut logs, others): (Vec<_>, Vec<_>) =
        store::projects(&mut tx).await?.into_iter().partition(|(_, has_log)| *has_log);
    let named: Vec<(String, ProjectId)> =
        others.into_iter().map(|(project, _)| (vault.blinded(project.into()), project)).collect();
    for names in named.chunks(NAMES_AT_A_TIME) {
        let asked: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let gone = store::published_of(&mut tx, META, &asked).await?;
        logs.extend(names.iter().filter(|(name, _)| gone.contains(name)).map(|(_, project)| (*project, true)));
    }
    tx.commit().await?;
    let mut logs: Vec<LogId> = logs.into_iter().map(|(project, _)| project.into()).collect();
    logs.sort_unstable();
    Ok(logs)
}

/// Enqueues a check of every log, a few at a time.
///
/// # Errors
/// Those of the database.
pub async fn check_all(vault: &Vault) -> Result<()> {
    let jobs = logs(vault).await?.into_iter().map(|log| CheckLog { project: log.project() });
    let jobs: Vec<CheckLog> = jobs.collect();
    let core = &vault.core;
    let mut tx = core.db.begin(Caller::Worker).await?;
    let mut when = core.clock.now();
    for jobs in jobs.chunks(LOGS_AT_A_TIME) {
        Enqueue::at(when).all(&mut tx, jobs).await?;
        when += BETWEEN;
    }
    Ok(tx.commit().await?)
}

/// How the logs stand by their last checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// In how many something was found.
    pub damaged: i64,
    /// How many are older than two days and were not checked since then.
    pub unchecked: i64,
}

/// How the logs stand by their last checks.
///
/// # Errors
/// Those of the database.
pub async fn standing(core: &Core) -> Result<Standing> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    let (damaged, unchecked) = store::standing(&mut tx, core.clock.now()).await?;
    tx.commit().await?;
    Ok(Standing { damaged, unchecked })
}
