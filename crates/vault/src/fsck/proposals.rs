//! The list of proposals, compared with the entries.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use futures::TryStreamExt;
use kernel::{crypto::hex, error::Result, ids::ProjectId};
use sqlx::PgConnection;
use tlog_tiles::Hash;

use super::{
    finding::Finding,
    model::{ProposalRow, Settled},
    read::read,
    report::Report,
    sealed::{SealedDecision, SealedProposal},
    store,
};
use crate::convert::unsigned;

/// Compares the listed proposals of a range of indexes with the entries.
pub(super) async fn compare(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
    mut sealed: BTreeMap<u64, SealedProposal>,
    unreadable: &BTreeSet<u64>,
    report: &mut Report,
) -> Result<()> {
    let mut rows = store::lists::proposals(tx, project, range);
    while let Some(row) = rows.try_next().await? {
        let index = unsigned(row.index)?;
        match sealed.remove(&index) {
            Some(SealedProposal { leaf, expires_at }) => {
                if expires_at.is_some_and(|expires_at| expires_at != row.expires_at) {
                    report.found(Finding::ProposalExpiry { index });
                }
                if let Err(why) = check_decision(&row, index, leaf) {
                    report.found(Finding::ProposalDecision { index, why });
                }
            }
            None if unreadable.contains(&index) => {}
            None => report.found(Finding::ProposalSurplus { index }),
        }
    }
    drop(rows);
    for index in sealed.into_keys() {
        report.found(Finding::ProposalMissing { index });
    }
    Ok(())
}

/// Compares decisions that entries record with the list.
pub(super) async fn compare_decisions(
    tx: &mut PgConnection,
    project: ProjectId,
    decided: &[Settled],
    report: &mut Report,
) -> Result<()> {
    if decided.is_empty() {
        return Ok(());
    }
    for Settled { proposal, decider } in store::lists::not_settled_so(tx, project, decided).await? {
        let why = format!("was decided by entry {decider}, and the list does not have that");
        report.found(Finding::ProposalDecision { index: proposal.cast_unsigned(), why });
    }
    Ok(())
}

/// Checks that the entry which the list names decided as the list says.
///
/// # Errors
/// A sentence, with how they differ.
fn check_decision(row: &ProposalRow, index: u64, leaf: Hash) -> Result<(), String> {
    let (decision, by) = match (&row.decision, row.decided_by) {
        (None, None) => return Ok(()),
        (Some(decision), Some(by)) => (decision, by),
        _ => return Err("is half decided on the list".to_owned()),
    };
    let differs = || format!("is {decision} by entry {by} on the list, and that entry does not say so");
    let entry = row.decider.as_deref().and_then(|decider| read(decider).ok()).ok_or_else(differs)?;
    let sealed = SealedDecision::of(&entry).ok_or_else(differs)?;
    let same = entry.kind.strip_prefix("proposal.") == Some(decision.as_str()) && sealed.proposal == index;
    if !same {
        return Err(differs());
    }
    if sealed.leaf_hash == hex(&leaf.0) {
        Ok(())
    } else {
        Err(format!("is another entry than the one that entry {by} decided"))
    }
}
