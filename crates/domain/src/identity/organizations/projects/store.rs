//! The SQL of projects.

use kernel::ids::{OrganizationId, ProjectId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Project;

/// Locks the project until the transaction ends.
pub(in crate::identity) async fn lock(tx: &mut PgConnection, id: ProjectId) -> sqlx::Result<()> {
    sqlx::query("SELECT FROM projects WHERE id = $1 FOR NO KEY UPDATE").bind(id).execute(tx).await?;
    Ok(())
}

pub(super) async fn count(tx: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM projects WHERE organization_id = $1")
        .bind(organization)
        .fetch_one(tx)
        .await
}

pub(super) async fn find(tx: &mut PgConnection, id: ProjectId) -> sqlx::Result<Option<Project>> {
    sqlx::query_as(
        "SELECT id, organization_id, name, plan, version, created_at, updated_at FROM projects WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn list(
    tx: &mut PgConnection,
    organization: OrganizationId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Project>> {
    sqlx::query_as(
        "SELECT id, organization_id, name, plan, version, created_at, updated_at \
         FROM projects WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(organization)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(super) async fn update(tx: &mut PgConnection, after: &Project) -> sqlx::Result<()> {
    sqlx::query("UPDATE projects SET name = $2, version = $3, updated_at = $4 WHERE id = $1")
        .bind(after.id)
        .bind(&after.name)
        .bind(after.version)
        .bind(after.updated_at)
        .execute(tx)
        .await?;
    Ok(())
}
