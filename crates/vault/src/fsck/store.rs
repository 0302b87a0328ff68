//! The SQL of checking a log. Everything is read as it stands there: nothing here trusts a constraint.

use std::collections::HashSet;

use futures::stream::BoxStream;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use kernel::{clock::Timestamp, ids::ProjectId};

/// What the statements of a check may each take; counting a large log's tags is the longest.
const STATEMENT_TIMEOUT: &str = "SET LOCAL statement_timeout = '5min'";

/// Makes the transaction see one moment, and change nothing.
pub(super) async fn one_moment(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    sqlx::query(STATEMENT_TIMEOUT).execute(tx).await?;
    Ok(())
}

/// A log's head.
#[derive(FromRow)]
pub(super) struct HeadRow {
    pub(super) size: i64,
    pub(super) edge: Vec<u8>,
    pub(super) verdicts: Value,
    pub(super) at: Timestamp,
}

/// The head as it now is. A log without entries has no time.
pub(super) async fn head(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<Option<HeadRow>> {
    sqlx::query_as("SELECT size, edge, verdicts, greatest(at, 'epoch') AS at FROM vault_logs WHERE project_id = $1")
        .bind(project)
        .fetch_optional(tx)
        .await
}

/// An entry with all that stands beside it.
#[derive(FromRow)]
pub(super) struct EntryRow {
    pub(super) index: i64,
    pub(super) at: Timestamp,
    pub(super) leaf_hash: Vec<u8>,
    pub(super) kind: String,
    pub(super) verdict: String,
    pub(super) actor: String,
    pub(super) session_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) entry: Vec<u8>,
}

/// The entries from `from` to before `to`, one at a time.
pub(super) fn entries(
    tx: &mut PgConnection,
    project: ProjectId,
    (from, to): (u64, u64),
) -> BoxStream<'_, sqlx::Result<EntryRow>> {
    sqlx::query_as(
        "SELECT index, at, leaf_hash, kind, verdict, actor, session_id, subject, entry FROM vault_entries \
         WHERE project_id = $1 AND index >= $2 AND index < $3 ORDER BY index",
    )
    .bind(project)
    .bind(from.cast_signed())
    .bind(to.cast_signed())
    .fetch(tx)
}

/// The first index from `from` to before `to` that there is.
pub(super) async fn next_index(
    tx: &mut PgConnection,
    project: ProjectId,
    (from, to): (u64, u64),
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT min(index) FROM vault_entries WHERE project_id = $1 AND index >= $2 AND index < $3")
        .bind(project)
        .bind(from.cast_signed())
        .bind(to.cast_signed())
        .fetch_one(tx)
        .await
}

/// A checkpoint.
#[derive(FromRow)]
pub(super) struct CheckpointRow {
    pub(super) size: i64,
    pub(super) root: Vec<u8>,
    pub(super) at: Timestamp,
}

/// The checkpoints of sizes above `from`, up to `to`.
pub(super) async fn checkpoints(
    tx: &mut PgConnection,
    project: ProjectId,
    (from, to): (u64, u64),
) -> sqlx::Result<Vec<CheckpointRow>> {
    sqlx::query_as(
        "SELECT size, root, at FROM vault_checkpoints WHERE project_id = $1 AND size > $2 AND size <= $3 ORDER BY size",
    )
    .bind(project)
    .bind(from.cast_signed())
    .bind(to.cast_signed())
    .fetch_all(tx)
    .await
}

/// Size, witness and line of the cosignatures of sizes above `from`, up to `to`.
pub(super) async fn cosignatures(
    tx: &mut PgConnection,
    project: ProjectId,
    (from, to): (u64, u64),
) -> sqlx::Result<Vec<(i64, String, String)>> {
    sqlx::query_as(
        "SELECT size, witness, line FROM vault_cosignatures \
         WHERE project_id = $1 AND size > $2 AND size <= $3 ORDER BY size, witness",
    )
    .bind(project)
    .bind(from.cast_signed())
    .bind(to.cast_signed())
    .fetch_all(tx)
    .await
}

/// Level, number, root and hashes of those of the wanted tiles that there are.
pub(super) async fn tiles(
    tx: &mut PgConnection,
    project: ProjectId,
    wanted: &[(u8, u64)],
) -> sqlx::Result<Vec<(i16, i64, Vec<u8>, Vec<u8>)>> {
    let (levels, numbers): (Vec<i16>, Vec<i64>) =
        wanted.iter().map(|(level, n)| (i16::from(*level), n.cast_signed())).unzip();
    sqlx::query_as(
        "SELECT t.level, t.n, t.root, t.hashes FROM unnest($2::smallint[], $3::bigint[]) AS w(level, n) \
         JOIN vault_tiles t ON t.project_id = $1 AND t.level = w.level AND t.n = w.n",
    )
    .bind(project)
    .bind(levels)
    .bind(numbers)
    .fetch_all(tx)
    .await
}

/// Which of the wanted tags are not there. Each is looked up by itself: a join could read all tags for each batch.
pub(super) async fn missing_tags(
    tx: &mut PgConnection,
    project: ProjectId,
    (indexes, tags): (&[i64], &[String]),
) -> sqlx::Result<Vec<(i64, String)>> {
    sqlx::query_as(
        "SELECT w.index, w.tag FROM unnest($2::bigint[], $3::text[]) AS w(index, tag) \
         WHERE (SELECT true FROM vault_tags t WHERE t.project_id = $1 AND t.tag = w.tag AND t.index = w.index LIMIT 1) IS NULL",
    )
    .bind(project)
    .bind(indexes)
    .bind(tags)
    .fetch_all(tx)
    .await
}

/// How many tags stand below `size`, and the first index beyond the head that has one.
pub(super) async fn count_tags(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
) -> sqlx::Result<(i64, Option<i64>)> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE index < $2), min(index) FILTER (WHERE index >= GREATEST($2, \
             COALESCE((SELECT size FROM vault_logs WHERE project_id = $1), 0))) \
         FROM vault_tags WHERE project_id = $1",
    )
    .bind(project)
    .bind(size.cast_signed())
    .fetch_one(tx)
    .await
}

/// A tag, the index that it is of, and the entry there.
pub(super) type Tagged = (String, i64, Option<Vec<u8>>);

/// Tags with the entries that they are of, in their own order, after the one given.
pub(super) fn tags<'a>(
    tx: &'a mut PgConnection,
    project: ProjectId,
    size: u64,
    (tag, index): (&'a str, i64),
    limit: i64,
) -> BoxStream<'a, sqlx::Result<Tagged>> {
    sqlx::query_as(
        "SELECT t.tag, t.index, e.entry FROM vault_tags t \
              LEFT JOIN vault_entries e ON e.project_id = t.project_id AND e.index = t.index \
         WHERE t.project_id = $1 AND t.index < $2 AND (t.tag, t.index) > ($3, $4) ORDER BY t.tag, t.index LIMIT $5",
    )
    .bind(project)
    .bind(size.cast_signed())
    .bind(tag)
    .bind(index)
    .bind(limit)
    .fetch(tx)
}

/// Personal data, with the key of its subject where there is one.
#[derive(FromRow)]
pub(super) struct PersonalRow {
    pub(super) index: i64,
    pub(super) subject: String,
    pub(super) sealed: Vec<u8>,
    pub(super) wrapped: Option<Vec<u8>>,
}

/// The personal data of the entries from `from` to before `to`, one at a time.
pub(super) fn payloads(
    tx: &mut PgConnection,
    project: ProjectId,
    (from, to): (u64, u64),
) -> BoxStream<'_, sqlx::Result<PersonalRow>> {
    sqlx::query_as(
        "SELECT p.index, p.subject, p.sealed, k.wrapped FROM vault_payloads p \
              LEFT JOIN vault_subject_keys k ON k.project_id = p.project_id AND k.subject = p.subject \
         WHERE p.project_id = $1 AND p.index >= $2 AND p.index < $3 ORDER BY p.index",
    )
    .bind(project)
    .bind(from.cast_signed())
    .bind(to.cast_signed())
    .fetch(tx)
}

/// Of each of these subjects that was ever erased, the newest entry that says so.
pub(super) async fn erased(
    tx: &mut PgConnection,
    project: ProjectId,
    subjects: &[&str],
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "SELECT w.subject, e.index FROM unnest($2::text[]) AS w(subject) CROSS JOIN LATERAL ( \
             SELECT index FROM vault_entries WHERE project_id = $1 AND subject = w.subject AND kind = 'subject.erased' \
             ORDER BY index DESC LIMIT 1) e",
    )
    .bind(project)
    .bind(subjects)
    .fetch_all(tx)
    .await
}

/// A proposal, and the entry that it says decided it.
#[derive(FromRow)]
pub(super) struct ProposalRow {
    pub(super) index: i64,
    pub(super) expires_at: Timestamp,
    pub(super) decision: Option<String>,
    pub(super) decided_by: Option<i64>,
    pub(super) decider: Option<Vec<u8>>,
}

/// The proposals at indexes from `from` to before `to`, one at a time.
pub(super) fn proposals(
    tx: &mut PgConnection,
    project: ProjectId,
    (from, to): (u64, u64),
) -> BoxStream<'_, sqlx::Result<ProposalRow>> {
    sqlx::query_as(
        "SELECT p.index, p.expires_at, p.decision, p.decided_by, d.entry AS decider FROM vault_proposals p \
              LEFT JOIN vault_entries d ON d.project_id = p.project_id AND d.index = p.decided_by \
         WHERE p.project_id = $1 AND p.index >= $2 AND p.index < $3 ORDER BY p.index",
    )
    .bind(project)
    .bind(from.cast_signed())
    .bind(to.cast_signed())
    .fetch(tx)
}

/// Which of these proposals each of these entries settled, as the list has it: those where it has something else.
pub(super) async fn not_settled_by(
    tx: &mut PgConnection,
    project: ProjectId,
    (proposals, deciders): (&[i64], &[i64]),
) -> sqlx::Result<Vec<(i64, i64)>> {
    sqlx::query_as(
        "SELECT w.index, w.decider FROM unnest($2::bigint[], $3::bigint[]) AS w(index, decider) \
         WHERE (SELECT p.decided_by FROM vault_proposals p WHERE p.project_id = $1 AND p.index = w.index LIMIT 1) \
               IS DISTINCT FROM w.decider",
    )
    .bind(project)
    .bind(proposals)
    .bind(deciders)
    .fetch_all(tx)
    .await
}

/// Tables that have rows beyond the head as it now is, each with the first such place; one statement, so that it is of one moment. Tags, which
/// have no index for it, are asked for where they are counted.
pub(super) async fn beyond(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "WITH head AS (SELECT COALESCE((SELECT l.size FROM vault_logs l WHERE l.project_id = $1), 0) AS size), found AS ( \
             SELECT 1 AS rank, 'vault_entries' AS name, min(index) AS place FROM vault_entries, head WHERE project_id = $1 AND index >= head.size \
             UNION ALL SELECT 2, 'vault_checkpoints', min(c.size) FROM vault_checkpoints c, head WHERE project_id = $1 AND c.size > head.size \
             UNION ALL SELECT 3, 'vault_cosignatures', min(c.size) FROM vault_cosignatures c, head WHERE project_id = $1 AND c.size > head.size \
             UNION ALL SELECT 4 + w.level, 'vault_tiles of level ' || w.level, \
                 (SELECT min(n) FROM vault_tiles t WHERE t.project_id = $1 AND t.level = w.level AND t.n >= head.size >> (8 * (w.level + 1))) \
                 FROM generate_series(0, 4) AS w(level), head \
             UNION ALL SELECT 9, 'vault_payloads', min(index) FROM vault_payloads, head WHERE project_id = $1 AND index >= head.size \
             UNION ALL SELECT 10, 'vault_proposals', min(index) FROM vault_proposals, head WHERE project_id = $1 AND index >= head.size \
         ) SELECT name, place FROM found WHERE place IS NOT NULL ORDER BY rank",
    )
    .bind(project)
    .fetch_all(tx)
    .await
}

/// The size that the log had when it was last checked, and when that was.
pub(super) async fn last_check(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Option<(Option<i64>, Option<Timestamp>)>> {
    sqlx::query_as("SELECT checked_size, checked_at FROM vault_progress WHERE project_id = $1")
        .bind(project)
        .fetch_optional(tx)
        .await
}

/// Writes how a check ended. The size only grows: a log that shrank is found to have at each check, until somebody says that it is so.
pub(super) async fn note(
    tx: &mut PgConnection,
    project: ProjectId,
    (at, size, finding): (Timestamp, u64, Option<&str>),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_progress (project_id, checked_at, checked_size, checked_finding) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id) DO UPDATE SET checked_at = $2, \
             checked_size = GREATEST(vault_progress.checked_size, $3), checked_finding = $4",
    )
    .bind(project)
    .bind(at)
    .bind(size.cast_signed())
    .bind(finding)
    .execute(tx)
    .await?;
    Ok(())
}

/// Every project that there is or that has a log, and whether it has one: also one that lost its head.
pub(super) async fn projects(tx: &mut PgConnection) -> sqlx::Result<Vec<(ProjectId, bool)>> {
    sqlx::query_as(
        "SELECT project_id, true FROM vault_logs \
         UNION ALL SELECT p.id, EXISTS (SELECT FROM vault_entries e WHERE e.project_id = p.id) FROM projects p \
             WHERE NOT EXISTS (SELECT FROM vault_logs l WHERE l.project_id = p.id)",
    )
    .fetch_all(tx)
    .await
}

/// Which of these logs the meta-log, which is `meta`'s, has heads of.
pub(super) async fn published_of(
    tx: &mut PgConnection,
    meta: ProjectId,
    names: &[&str],
) -> sqlx::Result<HashSet<String>> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT w.name FROM unnest($2::text[]) AS w(name) \
         WHERE EXISTS (SELECT FROM vault_entries e WHERE e.project_id = $1 AND e.subject = w.name AND e.kind = 'log.head')",
    )
    .bind(meta)
    .bind(names)
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().collect())
}

/// Index and bytes of the entries of the meta-log that are heads of the log of that name, after the one given.
pub(super) async fn heads(
    tx: &mut PgConnection,
    meta: ProjectId,
    name: &str,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<(i64, Vec<u8>)>> {
    sqlx::query_as(
        "SELECT index, entry FROM vault_entries \
         WHERE project_id = $1 AND subject = $2 AND kind = 'log.head' AND index > $3 ORDER BY index LIMIT $4",
    )
    .bind(meta)
    .bind(name)
    .bind(after)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// How many logs were found damaged by their last check, and how many were not checked for two days though they are older.
pub(super) async fn standing(tx: &mut PgConnection, now: Timestamp) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE p.checked_finding IS NOT NULL), \
                count(*) FILTER (WHERE COALESCE(p.checked_at, (SELECT c.at FROM vault_checkpoints c \
                    WHERE c.project_id = l.project_id ORDER BY c.size LIMIT 1)) < $1 - interval '2 days') \
         FROM vault_logs l LEFT JOIN vault_progress p ON p.project_id = l.project_id",
    )
    .bind(now)
    .fetch_one(tx)
    .await
}
