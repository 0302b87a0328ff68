//! Personal data, compared with the entries' statements about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use futures::TryStreamExt;
use kernel::{error::Result, ids::ProjectId};
use sqlx::PgConnection;

use super::{finding::Finding, model::PersonalRow, report::Report, sealed::SealedPersonal, store};
use crate::{convert::unsigned, personal::Owner, vault::Vault};

/// Personal data that is stored for an entry.
struct Stored {
    index: u64,
    subject: String,
}

/// Compares the personal data of a range of indexes with the statements of its entries.
pub(super) async fn compare(
    tx: &mut PgConnection,
    vault: &Vault,
    project: ProjectId,
    range: Range<u64>,
    mut sealed: BTreeMap<u64, SealedPersonal>,
    unreadable: &BTreeSet<u64>,
    report: &mut Report,
) -> Result<()> {
    let mut stored: Vec<Stored> = Vec::new();
    let mut rows = store::lists::personal(tx, project, range);
    while let Some(row) = rows.try_next().await? {
        let index = unsigned(row.index)?;
        match sealed.remove(&index) {
            Some(sealed) => {
                compare_one(vault, project, index, &row, &sealed, report);
                stored.push(Stored { index, subject: row.subject });
            }
            None if unreadable.contains(&index) => {}
            None => report.found(Finding::PersonalSurplus { index }),
        }
    }
    drop(rows);
    compare_erasures(tx, project, &sealed, &stored, report).await
}

fn compare_one(
    vault: &Vault,
    project: ProjectId,
    index: u64,
    row: &PersonalRow,
    sealed: &SealedPersonal,
    report: &mut Report,
) {
    if sealed.subject.as_deref() != Some(&row.subject) {
        report.found(Finding::PersonalSubject { index });
    }
    match commitment(vault, project, index, row) {
        None => report.found(Finding::PersonalUnreadable { index }),
        Some(found) if found != sealed.digest => report.found(Finding::PersonalDigest { index }),
        Some(_) => {}
    }
}

/// Compares with the entries that record erasures. A digest without data was erased, and a later
/// entry says so; data that is still there was not.
async fn compare_erasures(
    tx: &mut PgConnection,
    project: ProjectId,
    gone: &BTreeMap<u64, SealedPersonal>,
    stored: &[Stored],
    report: &mut Report,
) -> Result<()> {
    let subjects = gone.values().filter_map(|sealed| sealed.subject.as_deref());
    let subjects = subjects.chain(stored.iter().map(|stored| stored.subject.as_str()));
    let subjects: BTreeSet<&str> = subjects.collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let subjects: Vec<&str> = subjects.into_iter().collect();
    let erased: BTreeMap<String, i64> =
        store::lists::erased(tx, project, &subjects).await?.into_iter().collect();
    let erased_after = |index: u64, subject: &str| {
        let erased = erased.get(subject).filter(|erased| **erased > index.cast_signed());
        erased.map(|erased| erased.cast_unsigned())
    };
    for (index, sealed) in gone {
        if sealed.subject.as_deref().and_then(|subject| erased_after(*index, subject)).is_none() {
            report.found(Finding::PersonalMissing { index: *index });
        }
    }
    for Stored { index, subject } in stored {
        if let Some(erased) = erased_after(*index, subject) {
            report.found(Finding::PersonalBack { index: *index, erased });
        }
    }
    Ok(())
}

/// Returns the digest of the data; `None` when it does not decrypt.
fn commitment(vault: &Vault, project: ProjectId, index: u64, row: &PersonalRow) -> Option<String> {
    let owner = Owner { project, subject: &row.subject };
    let key = vault.key_wrap.unwrap(owner, row.wrapped.as_ref()?).ok()?;
    Some(key.decrypt(index, &row.ciphertext).ok()?.commitment())
}
