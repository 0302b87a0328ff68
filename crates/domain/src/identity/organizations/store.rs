//! The SQL of organisations, memberships, invitations and projects.

use sqlx::PgConnection;

use crate::{
    clock::Timestamp,
    ids::{OrganizationId, ProjectId, UserId},
};

pub(in crate::identity) async fn role_of(
    tx: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2")
        .bind(organization)
        .bind(user)
        .fetch_optional(tx)
        .await
}

pub(in crate::identity) async fn insert_organization(
    tx: &mut PgConnection,
    id: OrganizationId,
    name: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO organizations (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3)")
        .bind(id)
        .bind(name)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(in crate::identity) async fn insert_project(
    tx: &mut PgConnection,
    id: ProjectId,
    organization: OrganizationId,
    name: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO projects (id, organization_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)")
        .bind(id)
        .bind(organization)
        .bind(name)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
