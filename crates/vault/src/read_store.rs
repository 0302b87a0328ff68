//! The SQL of reading a log.

use sqlx::{FromRow, PgConnection};
use tlog_tiles::Hash;

use super::{
    head::Head,
    list::{Filter, Row},
    proposals::ProposalRow,
    store::{hashes, unsigned},
};
use kernel::{
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
};

#[derive(FromRow)]
struct Checkpoint {
    size: i64,
    root: Vec<u8>,
    at: Timestamp,
}

/// The checkpoint of that size, or the newest.
pub(super) async fn head(tx: &mut PgConnection, project: ProjectId, size: Option<u64>) -> Result<Option<Head>> {
    let row: Option<Checkpoint> = match size {
        Some(size) => {
            sqlx::query_as("SELECT size, root, at FROM vault_checkpoints WHERE project_id = $1 AND size = $2")
                .bind(project)
                .bind(size.cast_signed())
                .fetch_optional(tx)
                .await?
        }
        None => {
            sqlx::query_as(
                "SELECT size, root, at FROM vault_checkpoints WHERE project_id = $1 ORDER BY size DESC LIMIT 1",
            )
            .bind(project)
            .fetch_optional(tx)
            .await?
        }
    };
    let head = |row: Checkpoint| {
        let root = row.root.try_into().map_err(|_| Error::internal("a root has not 32 bytes"))?;
        Ok(Head { size: unsigned(row.size)?, root: Hash(root), at: row.at })
    };
    row.map(head).transpose()
}

/// When the log was last checked, and what was found.
pub(super) async fn checked(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Option<(Option<Timestamp>, Option<String>)>> {
    sqlx::query_as("SELECT checked_at, checked_finding FROM vault_progress WHERE project_id = $1")
        .bind(project)
        .fetch_optional(tx)
        .await
}

/// The signature lines of witnesses on the checkpoint of that size.
pub(super) async fn cosignatures(tx: &mut PgConnection, project: ProjectId, size: u64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT line FROM vault_cosignatures WHERE project_id = $1 AND size = $2 ORDER BY witness LIMIT 16",
    )
    .bind(project)
    .bind(size.cast_signed())
    .fetch_all(tx)
    .await
}

/// The hashes of tiles, by level and number: of full ones as they are stored, of partial ones as far as the log has come.
pub(super) async fn tiles(
    tx: &mut PgConnection,
    project: ProjectId,
    wanted: &[(u8, u64)],
) -> Result<Vec<((u8, u64), Vec<Hash>)>> {
    let (levels, numbers): (Vec<i16>, Vec<i64>) =
        wanted.iter().map(|(level, n)| (i16::from(*level), n.cast_signed())).unzip();
    let rows: Vec<(i16, i64, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT w.level, w.n, COALESCE(t.hashes, CASE WHEN w.level = 0 \
             THEN (SELECT string_agg(e.leaf_hash, '' ORDER BY e.index) FROM vault_entries e \
                   WHERE e.project_id = $1 AND e.index >= w.n * 256 AND e.index < (w.n + 1) * 256) \
             ELSE (SELECT string_agg(b.root, '' ORDER BY b.n) FROM vault_tiles b \
                   WHERE b.project_id = $1 AND b.level = w.level - 1 AND b.n >= w.n * 256 AND b.n < (w.n + 1) * 256) END) \
         FROM unnest($2::smallint[], $3::bigint[]) AS w(level, n) \
              LEFT JOIN vault_tiles t ON t.project_id = $1 AND t.level = w.level AND t.n = w.n",
    )
    .bind(project)
    .bind(levels)
    .bind(numbers)
    .fetch_all(tx)
    .await?;
    let tile = |(level, n, bytes): (i16, i64, Option<Vec<u8>>)| {
        let level = u8::try_from(level).map_err(Error::internal)?;
        Ok(((level, unsigned(n)?), hashes(&bytes.unwrap_or_default())?))
    };
    rows.into_iter().map(tile).collect()
}

pub(super) async fn entry(tx: &mut PgConnection, project: ProjectId, index: u64) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT entry FROM vault_entries WHERE project_id = $1 AND index = $2")
        .bind(project)
        .bind(index.cast_signed())
        .fetch_optional(tx)
        .await
}

/// `count` entries from `first` on, in their order.
pub(super) async fn entries(
    tx: &mut PgConnection,
    project: ProjectId,
    first: u64,
    count: u64,
) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT entry FROM vault_entries WHERE project_id = $1 AND index >= $2 AND index < $2 + $3 ORDER BY index",
    )
    .bind(project)
    .bind(first.cast_signed())
    .bind(count.cast_signed())
    .fetch_all(tx)
    .await
}

/// The index that the log had reached before the time `$at`: one step down the index of checkpoints by time, since sizes grow with it.
macro_rules! reached {
    ($at:literal) => {
        concat!(
            "COALESCE((SELECT c.size FROM vault_checkpoints c WHERE c.project_id = $1 AND c.at < ",
            $at,
            " ORDER BY c.at DESC, c.size DESC LIMIT 1), 0)"
        )
    };
}

/// `$columns` of the entries `e` that meet the conditions of a [`Filter`]. A time is first turned into the index that the log had reached by then, since
/// times never go back in a log; so for every condition there is an index of Postgres that ends with the order wanted.
macro_rules! filtered {
    ($columns:literal, $tagged:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM vault_entries e ",
            $tagged,
            " WHERE e.project_id = $1 AND ($2::bigint IS NULL OR e.index < $2) \
             AND ($3::text IS NULL OR e.kind = $3) AND ($4::text IS NULL OR e.verdict = $4) AND ($5::text IS NULL OR e.actor = $5) \
             AND ($6::text IS NULL OR e.session_id = $6) AND ($7::text IS NULL OR e.subject = $7) \
             AND ($9::timestamptz IS NULL OR e.index >= ",
            reached!("$9"),
            ") AND ($10::timestamptz IS NULL OR e.index < ",
            reached!("$10"),
            ") ",
            $rest
        )
    };
}

/// A statement for those who seek by a tag, and one for those who do not.
macro_rules! by_tag_or_not {
    ($filter:expr, $columns:literal, $rest:literal, $before:literal, $after:literal) => {
        match $filter.tag {
            Some(_) => concat!(
                $before,
                filtered!(
                    $columns,
                    "JOIN vault_tags t ON t.project_id = $1 AND t.tag = $8 AND t.index = e.index",
                    $rest
                ),
                $after
            ),
            // Postgres wants to know every parameter's type.
            None => concat!($before, filtered!($columns, "JOIN (VALUES ($8::text)) none ON true", $rest), $after),
        }
    };
}

/// Binds a filter's values to a statement, which is planned anew each time: what serves one filter serves another badly.
macro_rules! bind {
    ($query:expr, $project:expr, $before:expr, $filter:expr, $limit:expr) => {
        $query
            .persistent(false)
            .bind($project)
            .bind($before)
            .bind(&$filter.kind)
            .bind($filter.verdict.map(|verdict| verdict.as_str()))
            .bind(&$filter.actor)
            .bind(&$filter.session_id)
            .bind(&$filter.subject)
            .bind(&$filter.tag)
            .bind($filter.from)
            .bind($filter.to)
            .bind($limit)
    };
}

/// Seals that the filter wants, newest first.
pub(super) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    let sql = by_tag_or_not!(filter, "e.index, e.leaf_hash, e.entry", "ORDER BY e.index DESC LIMIT $11", "", "");
    bind!(sqlx::query_as(sql), project, before, filter, limit).fetch_all(tx).await
}

/// How many of the newest `limit` seals that the filter wants have each verdict.
pub(super) async fn counts(
    tx: &mut PgConnection,
    project: ProjectId,
    filter: &Filter,
    limit: i64,
) -> sqlx::Result<Vec<(String, i64)>> {
    let sql = by_tag_or_not!(
        filter,
        "e.verdict",
        "ORDER BY e.index DESC LIMIT $11",
        "SELECT verdict, count(*) FROM (",
        ") wanted GROUP BY verdict"
    );
    bind!(sqlx::query_as(sql), project, None::<i64>, filter, limit).fetch_all(tx).await
}

/// The log's size, and how many of its seals have each verdict: kept in its head, so that nothing is counted.
pub(super) async fn totals(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Option<sqlx::types::Json<super::Counts>>> {
    sqlx::query_scalar("SELECT verdicts FROM vault_logs WHERE project_id = $1").bind(project).fetch_optional(tx).await
}

pub(super) async fn seal(tx: &mut PgConnection, project: ProjectId, index: u64) -> sqlx::Result<Option<Row>> {
    sqlx::query_as("SELECT index, leaf_hash, entry FROM vault_entries WHERE project_id = $1 AND index = $2")
        .bind(project)
        .bind(index.cast_signed())
        .fetch_optional(tx)
        .await
}

/// The wrapped key and the ciphertext of a seal's personal data, with whose it is.
pub(super) async fn personal(
    tx: &mut PgConnection,
    project: ProjectId,
    index: u64,
) -> sqlx::Result<Option<(String, Vec<u8>, Vec<u8>)>> {
    sqlx::query_as(
        "SELECT p.subject, k.wrapped, p.sealed FROM vault_payloads p \
         JOIN vault_subject_keys k ON k.project_id = p.project_id AND k.subject = p.subject \
         WHERE p.project_id = $1 AND p.index = $2",
    )
    .bind(project)
    .bind(index.cast_signed())
    .fetch_optional(tx)
    .await
}

/// A proposal and its seal.
macro_rules! proposals {
    ($rest:literal) => {
        concat!(
            "SELECT e.index, e.leaf_hash, e.entry, p.expires_at, p.decision, p.decided_by \
             FROM vault_proposals p JOIN vault_entries e ON e.project_id = p.project_id AND e.index = p.index \
             WHERE p.project_id = $1 AND ",
            $rest
        )
    };
}

/// Proposals, newest first: those that can be decided at a time, those that cannot, or all.
pub(super) async fn proposals(
    tx: &mut PgConnection,
    project: ProjectId,
    (open, now): (Option<bool>, Timestamp),
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<ProposalRow>> {
    // A text of its own for each, so that Postgres uses the index of open ones.
    let sql = match open {
        Some(true) => {
            proposals!("p.index < $2 AND p.decided_by IS NULL AND p.expires_at > $4 ORDER BY p.index DESC LIMIT $3")
        }
        Some(false) => proposals!(
            "p.index < $2 AND (p.decided_by IS NOT NULL OR p.expires_at <= $4) ORDER BY p.index DESC LIMIT $3"
        ),
        None => proposals!("p.index < $2 AND $4::timestamptz IS NOT NULL ORDER BY p.index DESC LIMIT $3"),
    };
    let query = sqlx::query_as(sql).bind(project).bind(before.unwrap_or(i64::MAX));
    query.bind(limit).bind(now).fetch_all(tx).await
}

pub(super) async fn proposal(
    tx: &mut PgConnection,
    project: ProjectId,
    index: u64,
) -> sqlx::Result<Option<ProposalRow>> {
    let sql = proposals!("p.index = $2");
    sqlx::query_as(sql).bind(project).bind(index.cast_signed()).fetch_optional(tx).await
}
