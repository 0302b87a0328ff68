//! The SQL of tiles and bundles of entries.

use kernel::{
    error::{Error, Result},
    ids::ProjectId,
};
use sqlx::PgConnection;
use tlog_tiles::Hash;

use crate::{
    convert::{hashes, unsigned},
    model::Tile,
};

/// Returns the hashes of tiles: full ones as they are stored, partial ones as far as the log has
/// grown.
pub(crate) async fn hashes_of(
    tx: &mut PgConnection,
    project: ProjectId,
    wanted: &[Tile],
) -> Result<Vec<(Tile, Vec<Hash>)>> {
    let rows: Vec<(i16, i64, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT w.level, w.n, COALESCE(t.hashes, CASE WHEN w.level = 0 \
             THEN (SELECT string_agg(e.leaf_hash, '' ORDER BY e.index) FROM vault_entries e \
                   WHERE e.project_id = $1 AND e.index >= w.n * 256 AND e.index < (w.n + 1) * 256) \
             ELSE (SELECT string_agg(b.root, '' ORDER BY b.n) FROM vault_tiles b \
                   WHERE b.project_id = $1 AND b.level = w.level - 1 \
                     AND b.n >= w.n * 256 AND b.n < (w.n + 1) * 256) END) \
         FROM unnest($2::smallint[], $3::bigint[]) AS w(level, n) \
              LEFT JOIN vault_tiles t ON t.project_id = $1 AND t.level = w.level AND t.n = w.n",
    )
    .bind(project)
    .bind(wanted.iter().map(|tile| i16::from(tile.level)).collect::<Vec<_>>())
    .bind(wanted.iter().map(|tile| tile.n.cast_signed()).collect::<Vec<_>>())
    .fetch_all(tx)
    .await?;
    let tile = |(level, n, bytes): (i16, i64, Option<Vec<u8>>)| {
        let level = u8::try_from(level).map_err(Error::internal)?;
        Ok((Tile { level, n: unsigned(n)? }, hashes(&bytes.unwrap_or_default())?))
    };
    rows.into_iter().map(tile).collect()
}

/// Returns `count` entries from `first` on, in their order.
pub(crate) async fn entries(
    tx: &mut PgConnection,
    project: ProjectId,
    first: u64,
    count: u64,
) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT entry FROM vault_entries \
         WHERE project_id = $1 AND index >= $2 AND index < $2 + $3 ORDER BY index",
    )
    .bind(project)
    .bind(first.cast_signed())
    .bind(count.cast_signed())
    .fetch_all(tx)
    .await
}
