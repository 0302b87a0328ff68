//! The SQL of the outbox.

use kernel::ids::ProjectId;
use sqlx::PgConnection;

use crate::model::OutboxRow;

/// Inserts a seal that waits, as canonical JSON.
pub(crate) async fn insert(tx: &mut PgConnection, project: ProjectId, seal: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO vault_outbox (project_id, seal) VALUES ($1, $2)")
        .bind(project)
        .bind(seal)
        .execute(tx)
        .await?;
    Ok(())
}

/// Returns seals that wait, oldest first.
pub(crate) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    limit: usize,
) -> sqlx::Result<Vec<OutboxRow>> {
    sqlx::query_as("SELECT id, seal FROM vault_outbox WHERE project_id = $1 ORDER BY id LIMIT $2")
        .bind(project)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(tx)
        .await
}

/// Deletes seals that were appended.
pub(crate) async fn delete(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM vault_outbox WHERE id = ANY ($1)").bind(ids).execute(tx).await?;
    Ok(())
}
