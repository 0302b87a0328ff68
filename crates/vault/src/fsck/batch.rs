//! What one batch of entries says of the rows that belong to it: tags, personal data, proposals and their decisions.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    vec::IntoIter,
};

use futures::TryStreamExt;
use serde::Deserialize;
use sqlx::PgConnection;
use tlog_tiles::Hash;

use super::{
    super::{Vault, Verdict, audit::AuditDigest, list::Entry, personal::whose, proposals::Decision, store::unsigned},
    audit,
    finding::Finding,
    read,
    report::Report,
    store::{self, CheckpointRow, PersonalRow, ProposalRow},
};
use kernel::{clock::Timestamp, crypto::hex, error::Result, ids::ProjectId};

/// Decisions on proposals.
const DECISIONS: [Decision; 3] = [Decision::Approved, Decision::Rejected, Decision::Expired];

/// What was read of one batch.
pub(super) struct Batch {
    /// By size, those that were not reached yet.
    pub(super) checkpoints: Peekable<IntoIter<CheckpointRow>>,
    /// The same of cosignatures: size, witness and line.
    pub(super) cosignatures: Peekable<IntoIter<(i64, String, String)>>,
    /// Entries of which nothing is known.
    pub(super) unreadable: BTreeSet<u64>,
    /// What was sealed of the audit log, and where.
    pub(super) digests: Vec<(u64, AuditDigest)>,
    tagged: Vec<i64>,
    tags: Vec<String>,
    /// Of entries with personal data, its digest and whose it is.
    personal: BTreeMap<u64, (String, Option<String>)>,
    /// Proposals, and until when they wait, where their entries say it.
    holds: BTreeMap<u64, (Hash, Option<Timestamp>)>,
    /// The proposals that were decided, and by which entries.
    decided: Vec<i64>,
    deciders: Vec<i64>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            checkpoints: Vec::new().into_iter().peekable(),
            cosignatures: Vec::new().into_iter().peekable(),
            unreadable: BTreeSet::new(),
            digests: Vec::new(),
            tagged: Vec::new(),
            tags: Vec::new(),
            personal: BTreeMap::new(),
            holds: BTreeMap::new(),
            decided: Vec::new(),
            deciders: Vec::new(),
        }
    }
}

/// The payload of a decision's seal, as far as it matters here.
#[derive(Deserialize)]
struct Decided {
    proposal: u64,
    leaf_hash: String,
}

/// The payload of a decision's seal; nothing of any other seal.
fn decided(entry: &Entry) -> Option<Decided> {
    let decision = DECISIONS.iter().any(|decision| decision.kind() == entry.kind);
    if decision { serde_json::from_str(entry.payload.get()).ok() } else { None }
}

impl Batch {
    /// Keeps what the entry says of other rows.
    pub(super) fn entry(&mut self, index: u64, leaf: Hash, entry: Entry) {
        if let Some(decided) = decided(&entry) {
            self.decided.push(decided.proposal.cast_signed());
            self.deciders.push(index.cast_signed());
        }
        self.digests.extend(audit::sealed(&entry).map(|digest| (index, digest)));
        if entry.verdict == Verdict::Hold {
            self.holds.insert(index, (leaf, entry.expires_at));
        }
        for tag in entry.tags {
            self.tagged.push(index.cast_signed());
            self.tags.push(tag);
        }
        if let Some(digest) = entry.personal_sha256 {
            self.personal.insert(index, (digest, entry.subject));
        }
    }

    /// Compares it with those rows. Returns how many tags were found.
    pub(super) async fn compare(
        mut self,
        tx: &mut PgConnection,
        vault: &Vault,
        project: ProjectId,
        range: (u64, u64),
        report: &mut Report,
    ) -> Result<u64> {
        self.compare_personal(tx, vault, project, range, report).await?;
        self.compare_proposals(tx, project, range, report).await?;
        if self.tags.is_empty() {
            return Ok(0);
        }
        let missing = store::missing_tags(tx, project, (&self.tagged, &self.tags)).await?;
        let found = self.tags.len().saturating_sub(missing.len()) as u64;
        for (index, tag) in missing {
            report.found(Finding::TagMissing { index: unsigned(index)?, tag });
        }
        Ok(found)
    }

    async fn compare_personal(
        &mut self,
        tx: &mut PgConnection,
        vault: &Vault,
        project: ProjectId,
        range: (u64, u64),
        report: &mut Report,
    ) -> Result<()> {
        let mut kept: Vec<(u64, String)> = Vec::new();
        let mut rows = store::payloads(tx, project, range);
        while let Some(row) = rows.try_next().await? {
            let index = unsigned(row.index)?;
            match self.personal.remove(&index) {
                Some((digest, subject)) => {
                    if subject.as_deref() != Some(&row.subject) {
                        report.found(Finding::PersonalSubject { index });
                    }
                    match commitment(vault, project, index, &row) {
                        None => report.found(Finding::PersonalUnreadable { index }),
                        Some(found) if found != digest => report.found(Finding::PersonalDigest { index }),
                        Some(_) => {}
                    }
                    kept.push((index, row.subject));
                }
                None if self.unreadable.contains(&index) => {}
                None => report.found(Finding::PersonalSurplus { index }),
            }
        }
        drop(rows);
        let gone = self.personal.iter().map(|(index, (_, subject))| (*index, subject.as_deref()));
        let all = gone.clone().chain(kept.iter().map(|(index, subject)| (*index, Some(subject.as_str()))));
        let subjects: BTreeSet<&str> = all.filter_map(|(_, subject)| subject).collect();
        if subjects.is_empty() {
            return Ok(());
        }
        // What has a digest and no data was erased, and a later entry says so; what still has data was not.
        let subjects: Vec<&str> = subjects.into_iter().collect();
        let erased: BTreeMap<String, i64> = store::erased(tx, project, &subjects).await?.into_iter().collect();
        let later = |index: u64, subject: &str| {
            erased.get(subject).filter(|erased| **erased > index.cast_signed()).map(|erased| erased.cast_unsigned())
        };
        for (index, subject) in gone {
            if subject.and_then(|subject| later(index, subject)).is_none() {
                report.found(Finding::PersonalMissing { index });
            }
        }
        for (index, subject) in &kept {
            if let Some(erased) = later(*index, subject) {
                report.found(Finding::PersonalBack { index: *index, erased });
            }
        }
        Ok(())
    }

    async fn compare_proposals(
        &mut self,
        tx: &mut PgConnection,
        project: ProjectId,
        range: (u64, u64),
        report: &mut Report,
    ) -> Result<()> {
        let mut rows = store::proposals(tx, project, range);
        while let Some(row) = rows.try_next().await? {
            let index = unsigned(row.index)?;
            match self.holds.remove(&index) {
                Some((leaf, expires_at)) => {
                    if expires_at.is_some_and(|expires_at| expires_at != row.expires_at) {
                        report.found(Finding::ProposalExpiry { index });
                    }
                    if let Err(why) = settled(&row, index, leaf) {
                        report.found(Finding::ProposalDecision { index, why });
                    }
                }
                None if self.unreadable.contains(&index) => {}
                None => report.found(Finding::ProposalSurplus { index }),
            }
        }
        drop(rows);
        for index in self.holds.keys() {
            report.found(Finding::ProposalMissing { index: *index });
        }
        if self.decided.is_empty() {
            return Ok(());
        }
        for (index, decider) in store::not_settled_by(tx, project, (&self.decided, &self.deciders)).await? {
            let why = format!("was decided by entry {decider}, and the list does not have that");
            report.found(Finding::ProposalDecision { index: index.cast_unsigned(), why });
        }
        Ok(())
    }
}

/// The digest of the data as it opens; nothing when it does not.
fn commitment(vault: &Vault, project: ProjectId, index: u64, row: &PersonalRow) -> Option<String> {
    let key = vault.keks.unwrap(&whose(project, &row.subject), row.wrapped.as_ref()?).ok()?;
    Some(key.open(index, &row.sealed).ok()?.commitment())
}

/// That the entry which the list names decided as the list says.
fn settled(row: &ProposalRow, index: u64, leaf: Hash) -> Result<(), String> {
    let (decision, by) = match (&row.decision, row.decided_by) {
        (None, None) => return Ok(()),
        (Some(decision), Some(by)) => (decision, by),
        _ => return Err("is half decided on the list".to_owned()),
    };
    let not = || format!("is {decision} by entry {by} on the list, and that entry does not say so");
    let entry = row.decider.as_deref().and_then(|decider| read(decider).ok()).ok_or_else(not)?;
    let said = decided(&entry).ok_or_else(not)?;
    let same = entry.kind.strip_prefix("proposal.") == Some(decision.as_str()) && said.proposal == index;
    if !same {
        return Err(not());
    }
    if said.leaf_hash == hex(&leaf.0) {
        Ok(())
    } else {
        Err(format!("is another entry than the one that entry {by} decided"))
    }
}
