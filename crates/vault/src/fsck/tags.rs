//! Tags that no entry has. Rows of tags have no index by entry; so they are counted, and only looked through where the count is another.

use futures::TryStreamExt;
use sqlx::PgConnection;

use super::{finding::Finding, read, report::Report, store};
use crate::store::unsigned;
use kernel::{error::Result, ids::ProjectId};

/// How many rows one statement reads.
const PAGE: i64 = 4_096;

/// Compares the number of tags below `size` with how many of the entries' tags were found there.
pub(super) async fn compare(
    tx: &mut PgConnection,
    project: ProjectId,
    (size, found): (u64, u64),
    report: &mut Report,
) -> Result<()> {
    let (count, beyond) = store::count_tags(tx, project, size).await?;
    if let Some(from) = beyond {
        report.found(Finding::Beyond { table: "vault_tags".to_owned(), from: unsigned(from)? });
    }
    let mut surplus = unsigned(count)?.saturating_sub(found);
    let mut after = (String::new(), -1);
    while surplus > 0 {
        let mut rows = store::tags(tx, project, size, (&after.0, after.1), PAGE);
        let mut last = None;
        while let Some((tag, index, entry)) = rows.try_next().await? {
            let has = entry.and_then(|entry| read(&entry).ok()).is_some_and(|entry| entry.tags.contains(&tag));
            if !has {
                report.found(Finding::TagSurplus { index: unsigned(index)?, tag: tag.clone() });
                surplus = surplus.saturating_sub(1);
            }
            last = Some((tag, index));
        }
        drop(rows);
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(())
}
