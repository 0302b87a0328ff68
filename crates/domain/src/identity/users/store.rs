//! The SQL of accounts.

use kernel::{
    clock::Timestamp,
    ids::{OrganizationId, UserId},
};
use sqlx::PgConnection;

use super::model::{Account, Credentials, ExportedEvent, ExportedMembership, ExportedPasskey, HeirRow};
use crate::mail::Email;

/// Inserts an account, or replaces one that nobody has verified. Returns `None` when the address
/// has a verified one.
pub(super) async fn upsert_unverified(
    tx: &mut PgConnection,
    id: UserId,
    email: &Email,
    name: &str,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<Option<UserId>> {
    sqlx::query_scalar(
        "INSERT INTO users AS u (id, email, email_key, name, password_hash, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6) \
         ON CONFLICT ON CONSTRAINT users_email \
         DO UPDATE SET email = EXCLUDED.email, name = EXCLUDED.name, password_hash = EXCLUDED.password_hash, \
                       updated_at = EXCLUDED.updated_at, version = u.version + 1 \
         WHERE u.email_verified_at IS NULL RETURNING id",
    )
    .bind(id)
    .bind(email)
    .bind(email.key())
    .bind(name)
    .bind(hash)
    .bind(now)
    .fetch_optional(tx)
    .await
}

pub(in crate::identity) async fn find_by_email(
    tx: &mut PgConnection,
    key: &str,
) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as(
        "SELECT id, email, name, password_hash, email_verified_at FROM users \
         WHERE email_key = $1 AND erased_at IS NULL",
    )
    .bind(key)
    .fetch_optional(tx)
    .await
}

pub(in crate::identity) async fn find_by_id(
    tx: &mut PgConnection,
    id: UserId,
) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as(
        "SELECT id, email, name, password_hash, email_verified_at FROM users WHERE id = $1 AND erased_at IS \
        NULL",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

/// Marks the address as verified. Returns false when the account no longer has that password.
pub(super) async fn verify_email(
    tx: &mut PgConnection,
    id: UserId,
    hash: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE users SET email_verified_at = COALESCE(email_verified_at, $1), updated_at = $1, \
                          version = version + 1 \
         WHERE id = $2 AND password_hash IS NOT DISTINCT FROM $3 AND erased_at IS NULL",
    )
    .bind(now)
    .bind(id)
    .bind(hash)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets the password, and marks the address as verified, because only its holder can set a
/// password.
pub(super) async fn set_password(
    tx: &mut PgConnection,
    id: UserId,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE users SET password_hash = $1, email_verified_at = COALESCE(email_verified_at, $2), \
                          updated_at = $2, version = version + 1 \
         WHERE id = $3 AND erased_at IS NULL",
    )
    .bind(hash)
    .bind(now)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Returns the hash of the account's password, and keeps others from changing it until the
/// transaction ends.
pub(in crate::identity) async fn lock_password(
    tx: &mut PgConnection,
    id: UserId,
) -> sqlx::Result<Option<String>> {
    let found: Option<Option<String>> =
        sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1 AND erased_at IS NULL FOR UPDATE")
            .bind(id)
            .fetch_optional(tx)
            .await?;
    Ok(found.flatten())
}

/// Stores the same password under newer parameters, unless it was changed meanwhile.
pub(in crate::identity) async fn replace_password(
    tx: &mut PgConnection,
    id: UserId,
    stored: &str,
    renewed: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(renewed)
        .bind(id)
        .bind(stored)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn find_account(tx: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Account>> {
    sqlx::query_as(
        "SELECT id, email, name, email_verified_at, version, created_at, updated_at, erase_at FROM users \
         WHERE id = $1 AND erased_at IS NULL",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn lock_account(tx: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Account>> {
    sqlx::query_as(
        "SELECT id, email, name, email_verified_at, version, created_at, updated_at, erase_at FROM users \
         WHERE id = $1 AND erased_at IS NULL FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn rename(tx: &mut PgConnection, account: &Account) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET name = $1, version = $2, updated_at = $3 WHERE id = $4")
        .bind(&account.name)
        .bind(account.version)
        .bind(account.updated_at)
        .bind(account.id)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn find_memberships(
    tx: &mut PgConnection,
    id: UserId,
    limit: i64,
) -> sqlx::Result<Vec<ExportedMembership>> {
    sqlx::query_as(
        "SELECT o.id AS organization, o.name, m.role, m.created_at AS since \
         FROM memberships m JOIN organizations o ON o.id = m.organization_id \
         WHERE m.user_id = $1 ORDER BY o.id LIMIT $2",
    )
    .bind(id)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(super) async fn find_passkeys(
    tx: &mut PgConnection,
    id: UserId,
    limit: i64,
) -> sqlx::Result<Vec<ExportedPasskey>> {
    sqlx::query_as(
        "SELECT name, created_at, last_used_at FROM passkeys WHERE user_id = $1 ORDER BY id LIMIT $2",
    )
    .bind(id)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(super) async fn find_events(
    tx: &mut PgConnection,
    id: UserId,
    limit: i64,
) -> sqlx::Result<Vec<ExportedEvent>> {
    sqlx::query_as(
        "SELECT at, action, actor, subject, address, user_agent FROM audit_events \
         WHERE user_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(id)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Finds an organization that has other members and no other owner.
pub(super) async fn find_owned_alone(
    tx: &mut PgConnection,
    id: UserId,
) -> sqlx::Result<Option<OrganizationId>> {
    sqlx::query_scalar(
        "SELECT m.organization_id FROM memberships mine JOIN memberships m USING (organization_id) \
         WHERE mine.user_id = $1 AND mine.role = 'owner' \
         GROUP BY m.organization_id \
         HAVING count(*) > 1 AND count(*) FILTER (WHERE m.role = 'owner') = 1 LIMIT 1",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn set_erasure(tx: &mut PgConnection, account: &Account) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE users SET erase_at = $1, updated_at = $2, version = $3 WHERE id = $4 AND erased_at IS NULL",
    )
    .bind(account.erase_at)
    .bind(account.updated_at)
    .bind(account.version)
    .bind(account.id)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn find_due_for_erasure(
    tx: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar("SELECT id FROM users WHERE erase_at <= $1 ORDER BY erase_at LIMIT $2")
        .bind(now)
        .bind(limit)
        .fetch_all(tx)
        .await
}

pub(super) async fn lock_for_erasure(
    tx: &mut PgConnection,
    id: UserId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let due: Option<UserId> = sqlx::query_scalar(
        "SELECT id FROM users WHERE id = $1 AND erase_at <= $2 AND erased_at IS NULL FOR UPDATE",
    )
    .bind(id)
    .bind(now)
    .fetch_optional(tx)
    .await?;
    Ok(due.is_some())
}

/// Makes the most senior other member an owner wherever the person is the only one. Returns those
/// members.
pub(super) async fn hand_over(tx: &mut PgConnection, id: UserId) -> sqlx::Result<Vec<HeirRow>> {
    sqlx::query_as(
        "UPDATE memberships m SET role = 'owner' FROM ( \
             SELECT DISTINCT ON (o.organization_id) o.organization_id, o.user_id FROM memberships o \
             JOIN memberships mine ON mine.organization_id = o.organization_id AND mine.user_id = $1 \
                                      AND mine.role = 'owner' \
             WHERE o.user_id <> $1 AND NOT EXISTS ( \
                 SELECT FROM memberships other WHERE other.organization_id = o.organization_id \
                     AND other.role = 'owner' AND other.user_id <> $1) \
             ORDER BY o.organization_id, array_position(ARRAY['admin', 'developer', 'read_only'], o.role), \
                      o.created_at) heir \
         WHERE m.organization_id = heir.organization_id AND m.user_id = heir.user_id \
         RETURNING m.organization_id, m.user_id",
    )
    .bind(id)
    .fetch_all(tx)
    .await
}

/// Closes the projects whose only member is the person: their keys are revoked and their agents
/// removed. Their data stays.
pub(super) async fn close_projects(tx: &mut PgConnection, id: UserId, now: Timestamp) -> sqlx::Result<()> {
    for statement in [
        "UPDATE api_keys SET revoked_at = $2 WHERE revoked_at IS NULL AND project_id IN ( \
             SELECT p.id FROM projects p \
             JOIN memberships m ON m.organization_id = p.organization_id AND m.user_id = $1 \
             WHERE NOT EXISTS ( \
                 SELECT FROM memberships o WHERE o.organization_id = p.organization_id AND o.user_id <> $1))",
        "UPDATE agents SET deleted_at = $2 WHERE deleted_at IS NULL AND project_id IN ( \
             SELECT p.id FROM projects p \
             JOIN memberships m ON m.organization_id = p.organization_id AND m.user_id = $1 \
             WHERE NOT EXISTS ( \
                 SELECT FROM memberships o WHERE o.organization_id = p.organization_id AND o.user_id <> $1))",
    ] {
        sqlx::query(statement).bind(id).bind(now).execute(&mut *tx).await?;
    }
    Ok(())
}

pub(super) async fn erase(tx: &mut PgConnection, id: UserId, now: Timestamp) -> sqlx::Result<()> {
    // Refresh tokens are deleted with their sessions. Unsent mail names the address, and so do
    // invitations.
    for statement in [
        "DELETE FROM jobs WHERE dead_at IS NOT NULL AND kind = 'identity.send_mail' \
         AND lower(payload ->> 'email') = (SELECT email_key FROM users WHERE id = $1)",
        "UPDATE invitations SET email = '', email_key = id::text, \
             revoked_at = CASE WHEN accepted_at IS NULL THEN COALESCE(revoked_at, now()) END \
         WHERE email_key = (SELECT email_key FROM users WHERE id = $1)",
        "DELETE FROM sessions WHERE user_id = $1",
        "DELETE FROM passkeys WHERE user_id = $1",
        "DELETE FROM passkey_ceremonies WHERE user_id = $1",
        "DELETE FROM mail_tokens WHERE user_id = $1",
        "DELETE FROM memberships WHERE user_id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *tx).await?;
    }
    sqlx::query(
        "UPDATE users SET email = '', email_key = id::text, name = '', password_hash = NULL, \
                          email_verified_at = NULL, erase_at = NULL, \
                          erased_at = $1, updated_at = $1, version = version + 1 \
         WHERE id = $2",
    )
    .bind(now)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}
