//! The SQL that runs under the lock of a log's head.

use kernel::ids::ProjectId;
use sqlx::{PgConnection, types::Json};

use crate::model::{Advance, Commit, LockedHead, NewEntry, NewTile};

/// The `idle_in_transaction_session_timeout` of the lock's holder: a frozen replica loses the lock
/// before those who wait reach the timeout of their statements, 10 s.
const IDLE_TIMEOUT: &str = "5s";

/// Locks the head of the transaction's log until the transaction ends.
pub(crate) async fn lock(tx: &mut PgConnection) -> sqlx::Result<LockedHead> {
    // A log without entries has no newest one: its time is -infinity.
    sqlx::query_as(
        "SELECT size, edge, verdicts, greatest(at, 'epoch') AS at, xid, \
                set_config('idle_in_transaction_session_timeout', $1, true) \
         FROM vault_lock()",
    )
    .bind(IDLE_TIMEOUT)
    .fetch_one(tx)
    .await
}

/// Inserts entries, tags and the checkpoint, and advances the head, in one statement.
pub(crate) async fn append(
    tx: &mut PgConnection,
    project: ProjectId,
    entries: &[NewEntry<'_>],
    advance: &Advance,
) -> sqlx::Result<()> {
    let edge: Vec<u8> = advance.edge.iter().flat_map(|hash| hash.0).collect();
    let tags = entries
        .iter()
        .flat_map(|entry| entry.tags.iter().map(|tag| (tag.as_str(), entry.index.cast_signed())));
    let (tags, tagged): (Vec<&str>, Vec<i64>) = tags.unzip();
    sqlx::query(
        "WITH entries AS ( \
             INSERT INTO vault_entries \
                 (project_id, index, at, leaf_hash, kind, verdict, actor, session_id, subject, entry) \
             SELECT $1, $2 + n - 1, $7, leaf_hash, kind, verdict, actor, session_id, subject, entry \
             FROM unnest($8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], \
                         $14::bytea[]) \
                  WITH ORDINALITY AS row(leaf_hash, kind, verdict, actor, session_id, subject, entry, n) \
         ), tags AS ( \
             INSERT INTO vault_tags (project_id, tag, index) \
             SELECT $1, tag, index FROM unnest($15::text[], $16::bigint[]) AS row(tag, index) \
         ) \
         SELECT vault_advance($2, $3, $4, $5, $6, $7)",
    )
    .bind(project)
    .bind(advance.old_size.cast_signed())
    .bind(advance.size.cast_signed())
    .bind(advance.root.0.as_slice())
    .bind(edge)
    .bind(Json(&advance.verdicts))
    .bind(advance.at)
    .bind(entries.iter().map(|entry| entry.leaf.0.as_slice()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.kind).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.verdict.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.actor).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.session_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.subject).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.entry).collect::<Vec<_>>())
    .bind(tags)
    .bind(tagged)
    .execute(tx)
    .await?;
    Ok(())
}

/// Inserts tiles of one level that are full now. Their hashes are those of the entries, or the
/// roots of the tiles below, which are in place already.
pub(crate) async fn insert_tiles(
    tx: &mut PgConnection,
    project: ProjectId,
    level: u8,
    tiles: &[NewTile],
) -> sqlx::Result<()> {
    let of_entries = "INSERT INTO vault_tiles (project_id, level, n, root, hashes) \
         SELECT $1, $2, n, root, ( \
             SELECT string_agg(e.leaf_hash, '' ORDER BY e.index) FROM vault_entries e \
             WHERE e.project_id = $1 AND e.index >= n * 256 AND e.index < (n + 1) * 256) \
         FROM unnest($3::bigint[], $4::bytea[]) AS tile(n, root)";
    let of_tiles = "INSERT INTO vault_tiles (project_id, level, n, root, hashes) \
         SELECT $1, $2, tile.n, tile.root, ( \
             SELECT string_agg(b.root, '' ORDER BY b.n) FROM vault_tiles b \
             WHERE b.project_id = $1 AND b.level = $2 - 1 \
               AND b.n >= tile.n * 256 AND b.n < (tile.n + 1) * 256) \
         FROM unnest($3::bigint[], $4::bytea[]) AS tile(n, root)";
    sqlx::query(if level == 0 { of_entries } else { of_tiles })
        .bind(project)
        .bind(i16::from(level))
        .bind(tiles.iter().map(|tile| tile.n.cast_signed()).collect::<Vec<_>>())
        .bind(tiles.iter().map(|tile| tile.root.0.as_slice()).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

/// Returns whether the batch was committed; `None` while that is not certain.
///
/// Only its checkpoint proves the commit. The transaction's number does not: if Postgres crashes
/// before the record of the transaction is on disk, another transaction gets the number, and the
/// status is that of the other.
pub(crate) async fn was_committed(tx: &mut PgConnection, commit: Commit) -> sqlx::Result<Option<bool>> {
    let (root, status): (Option<Vec<u8>>, Option<String>) = sqlx::query_as(
        "SELECT (SELECT root FROM vault_checkpoints WHERE project_id = $1 AND size = $2), \
                pg_xact_status($3::text::xid8)",
    )
    .bind(commit.project)
    .bind(commit.size.cast_signed())
    .bind(commit.xid.to_string())
    .fetch_one(tx)
    .await?;
    Ok(match root {
        Some(root) => Some(root == commit.root.0),
        None => (status.as_deref() == Some("aborted")).then_some(false),
    })
}
