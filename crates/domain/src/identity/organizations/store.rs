//! The SQL of organizations.

use kernel::{
    caller::Role,
    clock::Timestamp,
    ids::{OrganizationId, ProjectId, UserId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Organization;

pub(super) async fn find_role(
    tx: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> sqlx::Result<Option<Role>> {
    sqlx::query_scalar("SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2")
        .bind(organization)
        .bind(user)
        .fetch_optional(tx)
        .await
}

/// Finds the organization that a project belongs to.
pub(super) async fn find_of_project(
    tx: &mut PgConnection,
    project: ProjectId,
) -> sqlx::Result<Option<OrganizationId>> {
    sqlx::query_scalar("SELECT organization_id FROM projects WHERE id = $1")
        .bind(project)
        .fetch_optional(tx)
        .await
}

/// Locks the organization until the transaction ends.
pub(super) async fn lock(tx: &mut PgConnection, id: OrganizationId) -> sqlx::Result<()> {
    sqlx::query("SELECT FROM organizations WHERE id = $1 FOR NO KEY UPDATE").bind(id).execute(tx).await?;
    Ok(())
}

/// Counts the person's organizations. Locks the person, so that the number stays true until the
/// transaction ends.
pub(super) async fn count_of_person(tx: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE").bind(user).execute(&mut *tx).await?;
    sqlx::query_scalar("SELECT count(*) FROM memberships WHERE user_id = $1").bind(user).fetch_one(tx).await
}

pub(super) async fn count_members(tx: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM memberships WHERE organization_id = $1")
        .bind(organization)
        .fetch_one(tx)
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

pub(super) async fn insert_membership(
    tx: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(organization)
    .bind(user)
    .bind(role)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn find(
    tx: &mut PgConnection,
    id: OrganizationId,
    user: UserId,
) -> sqlx::Result<Option<Organization>> {
    sqlx::query_as(
        "SELECT o.id, o.name, m.role, o.version, o.created_at, o.updated_at \
         FROM organizations o JOIN memberships m ON m.organization_id = o.id \
         WHERE o.id = $1 AND m.user_id = $2",
    )
    .bind(id)
    .bind(user)
    .fetch_optional(tx)
    .await
}

pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Organization>> {
    sqlx::query_as(
        "SELECT o.id, o.name, m.role, o.version, o.created_at, o.updated_at \
         FROM organizations o JOIN memberships m ON m.organization_id = o.id \
         WHERE m.user_id = $1 AND ($2::uuid IS NULL OR m.organization_id < $2) \
         ORDER BY m.organization_id DESC LIMIT $3",
    )
    .bind(user)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(super) async fn update(tx: &mut PgConnection, after: &Organization) -> sqlx::Result<()> {
    sqlx::query("UPDATE organizations SET name = $2, version = $3, updated_at = $4 WHERE id = $1")
        .bind(after.id)
        .bind(&after.name)
        .bind(after.version)
        .bind(after.updated_at)
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
    sqlx::query(
        "INSERT INTO projects (id, organization_id, name, created_at, updated_at) VALUES ($1, $2, \
        $3, $4, $4)",
    )
    .bind(id)
    .bind(organization)
    .bind(name)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
