//! The SQL of memberships.

use kernel::ids::{OrganizationId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Membership;

pub(super) async fn find(
    tx: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> sqlx::Result<Option<Membership>> {
    sqlx::query_as(
        "SELECT m.user_id, u.name, u.email, m.role, m.version, m.created_at AS joined_at \
         FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1 AND m.user_id = $2",
    )
    .bind(organization)
    .bind(user)
    .fetch_optional(tx)
    .await
}

pub(super) async fn list(
    tx: &mut PgConnection,
    organization: OrganizationId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Membership>> {
    sqlx::query_as(
        "SELECT m.user_id, u.name, u.email, m.role, m.version, m.created_at AS joined_at \
         FROM memberships m JOIN users u ON u.id = m.user_id \
         WHERE m.organization_id = $1 AND ($2::uuid IS NULL OR m.user_id < $2) \
         ORDER BY m.user_id DESC LIMIT $3",
    )
    .bind(organization)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(in crate::identity::organizations) async fn count_owners(
    tx: &mut PgConnection,
    organization: OrganizationId,
) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM memberships WHERE organization_id = $1 AND role = 'owner'")
        .bind(organization)
        .fetch_one(tx)
        .await
}

pub(super) async fn update(
    tx: &mut PgConnection,
    organization: OrganizationId,
    after: &Membership,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE memberships SET role = $3, version = $4 WHERE organization_id = $1 AND user_id = $2")
        .bind(organization)
        .bind(after.user_id)
        .bind(after.role)
        .bind(after.version)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn delete(
    tx: &mut PgConnection,
    organization: OrganizationId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2")
        .bind(organization)
        .bind(user)
        .execute(tx)
        .await?;
    Ok(())
}
