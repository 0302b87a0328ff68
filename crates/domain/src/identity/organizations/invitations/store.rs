//! The SQL of invitations.

use kernel::{
    clock::Timestamp,
    ids::{InvitationId, OrganizationId, UserId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Invitation, InviteeRow, OpenRow};

/// Finds out whether an address is a member of an organization, invited, or invited too often;
/// invitations since a time count as recent.
pub(super) async fn find_invitee(
    tx: &mut PgConnection,
    organization: OrganizationId,
    email_key: &str,
    since: Timestamp,
) -> sqlx::Result<InviteeRow> {
    sqlx::query_as(
        "SELECT EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id \
                        WHERE m.organization_id = $1 AND u.email_key = $2) AS member, \
                count(*) FILTER (WHERE accepted_at IS NULL AND revoked_at IS NULL AND email_key = $2) > 0 \
                    AS invited, \
                count(*) FILTER (WHERE accepted_at IS NULL AND revoked_at IS NULL) AS open, \
                count(*) FILTER (WHERE email_key = $2 AND created_at > $3) AS recent \
         FROM invitations WHERE organization_id = $1",
    )
    .bind(organization)
    .bind(email_key)
    .bind(since)
    .fetch_one(tx)
    .await
}

pub(super) async fn insert(
    tx: &mut PgConnection,
    organization: OrganizationId,
    new: &Invitation,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO invitations \
             (id, organization_id, email, email_key, role, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.id)
    .bind(organization)
    .bind(&new.email)
    .bind(new.email.key())
    .bind(new.role)
    .bind(new.invited_by)
    .bind(new.created_at)
    .bind(new.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn find(
    tx: &mut PgConnection,
    organization: OrganizationId,
    id: InvitationId,
) -> sqlx::Result<Option<Invitation>> {
    sqlx::query_as(
        "SELECT id, email, role, invited_by, created_at, expires_at FROM invitations \
         WHERE organization_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
    )
    .bind(organization)
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn list(
    tx: &mut PgConnection,
    organization: OrganizationId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Invitation>> {
    sqlx::query_as(
        "SELECT id, email, role, invited_by, created_at, expires_at FROM invitations \
         WHERE organization_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL \
           AND ($2::uuid IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(organization)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(super) async fn prolong(
    tx: &mut PgConnection,
    organization: OrganizationId,
    after: &Invitation,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE invitations SET expires_at = $3 WHERE organization_id = $1 AND id = $2")
        .bind(organization)
        .bind(after.id)
        .bind(after.expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn revoke(
    tx: &mut PgConnection,
    organization: OrganizationId,
    id: InvitationId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE invitations SET revoked_at = $3 \
         WHERE organization_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
    )
    .bind(organization)
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes the open invitations by one member; there are at most as many as an organization may
/// have open.
pub(super) async fn revoke_all_of(
    tx: &mut PgConnection,
    organization: OrganizationId,
    inviter: UserId,
    now: Timestamp,
) -> sqlx::Result<Vec<Invitation>> {
    sqlx::query_as(
        "UPDATE invitations SET revoked_at = $3 \
         WHERE organization_id = $1 AND invited_by = $2 AND accepted_at IS NULL AND revoked_at IS NULL \
         RETURNING id, email, role, invited_by, created_at, expires_at",
    )
    .bind(organization)
    .bind(inviter)
    .bind(now)
    .fetch_all(tx)
    .await
}

pub(super) async fn find_by_token(
    tx: &mut PgConnection,
    digest: &[u8; 32],
    user: UserId,
    now: Timestamp,
) -> sqlx::Result<Option<OpenRow>> {
    sqlx::query_as(
        "SELECT i.id, i.organization_id, i.role, u.email_key = i.email_key AS same_address, \
                u.email_verified_at IS NOT NULL AS verified \
         FROM mail_tokens t JOIN invitations i ON i.id = t.invitation_id JOIN users u ON u.id = $2 \
         WHERE t.digest = $1 AND t.purpose = 'invitation' AND t.used_at IS NULL AND t.expires_at > $3 \
           AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $3",
    )
    .bind(digest.as_slice())
    .bind(user)
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// Accepts the invitation if it is still open, and consumes every token of it.
pub(super) async fn accept(tx: &mut PgConnection, id: InvitationId, now: Timestamp) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "WITH taken AS ( \
             UPDATE invitations SET accepted_at = $2 \
             WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id \
         ), used AS ( \
             UPDATE mail_tokens SET used_at = $2 FROM taken \
             WHERE invitation_id = taken.id AND used_at IS NULL \
         ) SELECT FROM taken",
    )
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
