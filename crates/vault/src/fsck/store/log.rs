//! The SQL of reading a log whole.

use std::ops::Range;

use futures::stream::BoxStream;
use kernel::ids::ProjectId;
use sqlx::PgConnection;

use crate::{
    fsck::model::{CheckpointRow, CosignatureRow, EntryRow, HeadRow, TileRow},
    model::Tile,
};

/// The longest that each statement of a check may take. Counting the tags of a large log takes
/// longest.
const STATEMENT_TIMEOUT: &str = "SET LOCAL statement_timeout = '5min'";

/// Makes the transaction see one moment, and read only.
pub(in crate::fsck) async fn one_moment(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    sqlx::query(STATEMENT_TIMEOUT).execute(tx).await?;
    Ok(())
}

/// Returns the head as it is now. A log without entries has no time.
pub(in crate::fsck) async fn head(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Option<HeadRow>> {
    sqlx::query_as(
        "SELECT size, edge, verdicts, greatest(at, 'epoch') AS at FROM vault_logs WHERE project_id = $1",
    )
    .bind(project)
    .fetch_optional(tx)
    .await
}

/// Returns the entries of a range of indexes, one at a time.
pub(in crate::fsck) fn entries(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
) -> BoxStream<'_, sqlx::Result<EntryRow>> {
    sqlx::query_as(
        "SELECT index, at, leaf_hash, kind, verdict, actor, session_id, subject, entry FROM vault_entries \
         WHERE project_id = $1 AND index >= $2 AND index < $3 ORDER BY index",
    )
    .bind(project)
    .bind(range.start.cast_signed())
    .bind(range.end.cast_signed())
    .fetch(tx)
}

/// Returns the first index in a range that exists.
pub(in crate::fsck) async fn next_index(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "SELECT min(index) FROM vault_entries WHERE project_id = $1 AND index >= $2 AND index < $3",
    )
    .bind(project)
    .bind(range.start.cast_signed())
    .bind(range.end.cast_signed())
    .fetch_one(tx)
    .await
}

/// Returns the checkpoints that entries of a range of indexes end, in the order of their sizes.
pub(in crate::fsck) async fn checkpoints(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
) -> sqlx::Result<Vec<CheckpointRow>> {
    sqlx::query_as(
        "SELECT size, root, at FROM vault_checkpoints \
         WHERE project_id = $1 AND size > $2 AND size <= $3 ORDER BY size",
    )
    .bind(project)
    .bind(range.start.cast_signed())
    .bind(range.end.cast_signed())
    .fetch_all(tx)
    .await
}

/// Returns the cosignatures on [`checkpoints`] of the same range.
pub(in crate::fsck) async fn cosignatures(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
) -> sqlx::Result<Vec<CosignatureRow>> {
    sqlx::query_as(
        "SELECT size, witness, line FROM vault_cosignatures \
         WHERE project_id = $1 AND size > $2 AND size <= $3 ORDER BY size, witness",
    )
    .bind(project)
    .bind(range.start.cast_signed())
    .bind(range.end.cast_signed())
    .fetch_all(tx)
    .await
}

/// Returns those of the wanted tiles that exist.
pub(in crate::fsck) async fn tiles(
    tx: &mut PgConnection,
    project: ProjectId,
    wanted: &[Tile],
) -> sqlx::Result<Vec<TileRow>> {
    sqlx::query_as(
        "SELECT t.level, t.n, t.root, t.hashes FROM unnest($2::smallint[], $3::bigint[]) AS w(level, n) \
         JOIN vault_tiles t ON t.project_id = $1 AND t.level = w.level AND t.n = w.n",
    )
    .bind(project)
    .bind(wanted.iter().map(|tile| i16::from(tile.level)).collect::<Vec<_>>())
    .bind(wanted.iter().map(|tile| tile.n.cast_signed()).collect::<Vec<_>>())
    .fetch_all(tx)
    .await
}

/// Returns the tables that have rows beyond the present head, each with the first such place. It is
/// one statement, so that it sees one moment. Tags, which have no index for it, are asked for where
/// they are counted.
pub(in crate::fsck) async fn beyond(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "WITH head AS ( \
             SELECT COALESCE((SELECT l.size FROM vault_logs l WHERE l.project_id = $1), 0) AS size \
         ), found AS ( \
             SELECT 1 AS rank, 'vault_entries' AS name, min(index) AS place FROM vault_entries, head \
                 WHERE project_id = $1 AND index >= head.size \
             UNION ALL SELECT 2, 'vault_checkpoints', min(c.size) FROM vault_checkpoints c, head \
                 WHERE project_id = $1 AND c.size > head.size \
             UNION ALL SELECT 3, 'vault_cosignatures', min(c.size) FROM vault_cosignatures c, head \
                 WHERE project_id = $1 AND c.size > head.size \
             UNION ALL SELECT 4 + w.level, 'vault_tiles of level ' || w.level, ( \
                     SELECT min(n) FROM vault_tiles t WHERE t.project_id = $1 AND t.level = w.level \
                         AND t.n >= head.size >> (8 * (w.level + 1))) \
                 FROM generate_series(0, 4) AS w(level), head \
             UNION ALL SELECT 9, 'vault_payloads', min(index) FROM vault_payloads, head \
                 WHERE project_id = $1 AND index >= head.size \
             UNION ALL SELECT 10, 'vault_proposals', min(index) FROM vault_proposals, head \
                 WHERE project_id = $1 AND index >= head.size \
         ) SELECT name, place FROM found WHERE place IS NOT NULL ORDER BY rank",
    )
    .bind(project)
    .fetch_all(tx)
    .await
}
