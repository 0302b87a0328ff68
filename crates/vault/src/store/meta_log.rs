//! The SQL of the meta-log.

use kernel::ids::{LogId, ProjectId};
use sqlx::PgConnection;

use crate::model::UnpublishedHead;

/// Makes the transaction, which is a job's, see the rows of all projects.
pub(crate) async fn leave_tenant(tx: &mut PgConnection) -> sqlx::Result<()> {
    set_tenant(tx, "").await
}

/// Makes the transaction see the rows of that project alone.
pub(crate) async fn enter_tenant(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<()> {
    set_tenant(tx, &project.uuid().to_string()).await
}

async fn set_tenant(tx: &mut PgConnection, tenant: &str) -> sqlx::Result<()> {
    sqlx::query("SELECT set_config('app.project_id', $1, true)").bind(tenant).execute(tx).await?;
    Ok(())
}

/// Returns the heads of logs that have grown since their head was published.
pub(crate) async fn unpublished(tx: &mut PgConnection, limit: usize) -> sqlx::Result<Vec<UnpublishedHead>> {
    sqlx::query_as(
        "SELECT l.project_id, l.size, c.root FROM vault_logs l \
         JOIN vault_checkpoints c ON c.project_id = l.project_id AND c.size = l.size \
         LEFT JOIN vault_progress p ON p.project_id = l.project_id \
         WHERE l.size > COALESCE(p.published_size, 0) AND l.project_id <> $1 \
         ORDER BY l.project_id LIMIT $2",
    )
    .bind(LogId::META.project())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(tx)
    .await
}

/// Records the heads that were published.
pub(crate) async fn note_published(tx: &mut PgConnection, heads: &[UnpublishedHead]) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_progress AS p (project_id, published_size) \
         SELECT * FROM unnest($1::uuid[], $2::bigint[]) \
         ON CONFLICT (project_id) DO UPDATE \
             SET published_size = greatest(p.published_size, EXCLUDED.published_size)",
    )
    .bind(heads.iter().map(|head| head.project).collect::<Vec<_>>())
    .bind(heads.iter().map(|head| head.size).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// Returns the newest entry of a kind.
pub(crate) async fn newest_of_kind(
    tx: &mut PgConnection,
    project: ProjectId,
    kind: &str,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT entry FROM vault_entries WHERE project_id = $1 AND kind = $2 ORDER BY index DESC LIMIT 1",
    )
    .bind(project)
    .bind(kind)
    .fetch_optional(tx)
    .await
}

/// Returns the newest entry of a kind about a subject, among the first `size`.
pub(crate) async fn newest_about(
    tx: &mut PgConnection,
    project: ProjectId,
    kind: &str,
    subject: &str,
    size: u64,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT entry FROM vault_entries \
         WHERE project_id = $1 AND kind = $2 AND subject = $3 AND index < $4 \
         ORDER BY index DESC LIMIT 1",
    )
    .bind(project)
    .bind(kind)
    .bind(subject)
    .bind(size.cast_signed())
    .fetch_optional(tx)
    .await
}
