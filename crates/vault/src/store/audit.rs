//! The SQL of the digested part of the audit log.

use kernel::ids::{AuditId, ProjectId};
use sqlx::PgConnection;

/// Returns projects that have events after the last digest, up to `through`; those that have waited
/// longest first.
pub(crate) async fn undigested(
    tx: &mut PgConnection,
    through: AuditId,
    limit: i64,
) -> sqlx::Result<Vec<ProjectId>> {
    sqlx::query_scalar(
        "SELECT p.id FROM projects p LEFT JOIN vault_progress v ON v.project_id = p.id \
         WHERE EXISTS (SELECT FROM audit_events e WHERE e.project_id = p.id AND e.id <= $1 \
                           AND e.id > COALESCE(v.audited_through, '00000000-0000-0000-0000-000000000000')) \
         ORDER BY v.audited_through NULLS FIRST LIMIT $2",
    )
    .bind(through)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Returns the last event that was digested.
pub(crate) async fn digested_through(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Option<AuditId>> {
    let through: Option<Option<AuditId>> =
        sqlx::query_scalar("SELECT audited_through FROM vault_progress WHERE project_id = $1")
            .bind(project)
            .fetch_optional(tx)
            .await?;
    Ok(through.flatten())
}

/// Moves the last digested event from `from` to `to`. Returns false when it was no longer at
/// `from`, because another run has moved it.
pub(crate) async fn advance(
    tx: &mut PgConnection,
    project: ProjectId,
    from: Option<AuditId>,
    to: AuditId,
) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "INSERT INTO vault_progress AS p (project_id, audited_through) VALUES ($1, $3) \
         ON CONFLICT (project_id) DO UPDATE SET audited_through = $3 \
             WHERE p.audited_through IS NOT DISTINCT FROM $2",
    )
    .bind(project)
    .bind(from)
    .bind(to)
    .execute(tx)
    .await?;
    Ok(moved.rows_affected() == 1)
}
