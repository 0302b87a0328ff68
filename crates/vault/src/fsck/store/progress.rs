//! The SQL of the existing logs, of the meta-log's statements about them, and of the results of
//! their checks.

use std::collections::HashSet;

use kernel::{clock::Timestamp, ids::ProjectId};
use sqlx::PgConnection;

use crate::{
    fsck::model::{CheckCounts, MetaRow, ProjectRow},
    model::{LOG_HEAD, META},
};

/// Stores the result of a check. The size only grows: each check reports a log that shrank, until
/// an operator says that it may.
pub(in crate::fsck) async fn save(
    tx: &mut PgConnection,
    project: ProjectId,
    at: Timestamp,
    size: u64,
    finding: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_progress (project_id, checked_at, checked_size, checked_finding) \
         VALUES ($1, $2, $3, $4) \
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

/// Returns every project that exists or that has a log. A log that lost its head counts as one.
pub(in crate::fsck) async fn projects(tx: &mut PgConnection) -> sqlx::Result<Vec<ProjectRow>> {
    sqlx::query_as(
        "SELECT project_id AS project, true AS has_log FROM vault_logs \
         UNION ALL SELECT p.id, EXISTS (SELECT FROM vault_entries e WHERE e.project_id = p.id) \
             FROM projects p WHERE NOT EXISTS (SELECT FROM vault_logs l WHERE l.project_id = p.id)",
    )
    .fetch_all(tx)
    .await
}

/// Returns those of `names` that the meta-log has heads of.
pub(in crate::fsck) async fn published(
    tx: &mut PgConnection,
    names: &[&str],
) -> sqlx::Result<HashSet<String>> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT w.name FROM unnest($2::text[]) AS w(name) \
         WHERE EXISTS (SELECT FROM vault_entries e \
                       WHERE e.project_id = $1 AND e.subject = w.name AND e.kind = $3)",
    )
    .bind(META)
    .bind(names)
    .bind(LOG_HEAD)
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().collect())
}

/// Returns the heads of the log of that name that follow `after` in the meta-log.
pub(in crate::fsck) async fn heads(
    tx: &mut PgConnection,
    name: &str,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<MetaRow>> {
    sqlx::query_as(
        "SELECT index, entry FROM vault_entries \
         WHERE project_id = $1 AND subject = $2 AND kind = $3 AND index > $4 ORDER BY index LIMIT $5",
    )
    .bind(META)
    .bind(name)
    .bind(LOG_HEAD)
    .bind(after)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Returns how many logs were found damaged by their last check, and how many were not checked for
/// two days though they are older.
pub(in crate::fsck) async fn counts(tx: &mut PgConnection, now: Timestamp) -> sqlx::Result<CheckCounts> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE p.checked_finding IS NOT NULL) AS damaged, \
                count(*) FILTER (WHERE COALESCE(p.checked_at, ( \
                    SELECT c.at FROM vault_checkpoints c \
                    WHERE c.project_id = l.project_id ORDER BY c.size LIMIT 1)) < $1 - interval '2 days') \
                    AS unchecked \
         FROM vault_logs l LEFT JOIN vault_progress p ON p.project_id = l.project_id",
    )
    .bind(now)
    .fetch_one(tx)
    .await
}
