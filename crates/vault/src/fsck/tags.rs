//! Tags that no entry has. Rows of tags have no index by entry; so they are counted, and searched
//! only where the count differs.

use futures::TryStreamExt;
use kernel::{error::Result, ids::ProjectId};
use sqlx::PgConnection;

use super::{finding::Finding, model::EntryTag, read::read, report::Report, store};
use crate::convert::unsigned;

/// The most rows that one statement reads.
const PAGE: i64 = 4_096;

/// Compares the number of tags below `size` with `found`, the number of the entries' tags that
/// exist.
pub(super) async fn compare(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    found: u64,
    report: &mut Report,
) -> Result<()> {
    let tags = store::lists::count_tags(tx, project, size).await?;
    if let Some(from) = tags.beyond {
        report.found(Finding::Beyond { table: "vault_tags".to_owned(), from: unsigned(from)? });
    }
    let mut surplus = unsigned(tags.count)?.saturating_sub(found);
    let mut after = EntryTag { tag: String::new(), index: -1 };
    while surplus > 0 {
        let mut rows = store::lists::tags_after(tx, project, size, &after, PAGE);
        let mut last = None;
        while let Some(row) = rows.try_next().await? {
            let entry = row.entry.and_then(|entry| read(&entry).ok());
            if !entry.is_some_and(|entry| entry.tags.contains(&row.tag)) {
                report.found(Finding::TagSurplus { index: unsigned(row.index)?, tag: row.tag.clone() });
                surplus = surplus.saturating_sub(1);
            }
            last = Some(EntryTag { tag: row.tag, index: row.index });
        }
        drop(rows);
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(())
}
