//! The SQL of mailed tokens.

use kernel::{
    clock::Timestamp,
    ids::{InvitationId, UserId},
};
use sqlx::PgConnection;

use super::model::{InvitationRow, Purpose, TokenOwner};
use crate::identity::users::Credentials;

pub(super) async fn insert_token(
    tx: &mut PgConnection,
    digest: &[u8; 32],
    purpose: Purpose,
    owner: TokenOwner,
    now: Timestamp,
) -> sqlx::Result<()> {
    let (user, invitation): (Option<UserId>, Option<InvitationId>) = match owner {
        TokenOwner::User(user) => (Some(user), None),
        TokenOwner::Invitation(invitation) => (None, Some(invitation)),
    };
    sqlx::query(
        "INSERT INTO mail_tokens (digest, purpose, user_id, invitation_id, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(digest.as_slice())
    .bind(purpose.as_str())
    .bind(user)
    .bind(invitation)
    .bind(now)
    .bind(now + purpose.lifetime())
    .execute(tx)
    .await?;
    Ok(())
}

/// Finds the account that an unused token of that purpose is for.
pub(in crate::identity) async fn find_account(
    tx: &mut PgConnection,
    digest: &[u8; 32],
    purpose: Purpose,
    now: Timestamp,
) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as(
        "SELECT u.id, u.email, u.name, u.password_hash, u.email_verified_at \
         FROM mail_tokens t JOIN users u ON u.id = t.user_id \
         WHERE t.digest = $1 AND t.purpose = $2 AND t.used_at IS NULL AND t.expires_at > $3 \
           AND u.erased_at IS NULL",
    )
    .bind(digest.as_slice())
    .bind(purpose.as_str())
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// Consumes a token of `user`, and with it every other of its purpose. Two calls at once, whichever
/// tokens they have, wait for each other on the account's lock, and only one finds its own token
/// unused.
pub(in crate::identity) async fn consume_token(
    tx: &mut PgConnection,
    user: UserId,
    digest: &[u8; 32],
    purpose: Purpose,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query("SELECT FROM users WHERE id = $1 FOR UPDATE").bind(user).execute(&mut *tx).await?;
    let consumed = consume_all(tx, user, purpose, now).await?;
    Ok(consumed.iter().any(|consumed| consumed == digest))
}

/// Consumes every token of `user` and that purpose. Returns the digests of those that were valid.
pub(in crate::identity) async fn consume_all(
    tx: &mut PgConnection,
    user: UserId,
    purpose: Purpose,
    now: Timestamp,
) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar(
        "UPDATE mail_tokens SET used_at = $1 \
         WHERE user_id = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > $1 RETURNING digest",
    )
    .bind(now)
    .bind(user)
    .bind(purpose.as_str())
    .fetch_all(tx)
    .await
}

pub(super) async fn find_open_invitation(
    tx: &mut PgConnection,
    id: InvitationId,
    now: Timestamp,
) -> sqlx::Result<Option<InvitationRow>> {
    sqlx::query_as(
        "SELECT i.email, i.role, o.name AS organization, u.name AS inviter \
         FROM invitations i JOIN organizations o ON o.id = i.organization_id \
             JOIN users u ON u.id = i.invited_by \
         WHERE i.id = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2",
    )
    .bind(id)
    .bind(now)
    .fetch_optional(tx)
    .await
}

pub(in crate::identity) async fn prune(
    tx: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM mail_tokens WHERE digest = ANY (ARRAY( \
             SELECT digest FROM mail_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
    )
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
