//! The SQL of sessions and refresh tokens.

use kernel::{
    caller::RequestContext,
    clock::Timestamp,
    ids::{SessionId, UserId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Opened, RotatedRow, Rotation, Session};

/// Inserts the session and its first token, in one statement.
pub(super) async fn insert(
    tx: &mut PgConnection,
    opened: &Opened,
    method: &str,
    request: &RequestContext,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "WITH opened AS ( \
             INSERT INTO sessions \
                 (id, user_id, method, address, user_agent, created_at, last_used_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7) RETURNING id) \
         INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) \
         SELECT $8, id, $6, $7 FROM opened",
    )
    .bind(opened.session)
    .bind(opened.user)
    .bind(method)
    .bind(request.address.as_deref().unwrap_or_default())
    .bind(request.user_agent.as_deref().unwrap_or_default())
    .bind(now)
    .bind(expires_at)
    .bind(opened.refresh.digest().as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

/// Rotates a live token of a live session. The row's lock serializes two requests; the second finds
/// the token rotated.
pub(super) async fn rotate(
    tx: &mut PgConnection,
    rotation: &Rotation<'_>,
) -> sqlx::Result<Option<(UserId, SessionId)>> {
    sqlx::query_as(
        "WITH rotated AS ( \
             UPDATE refresh_tokens t SET rotated_at = $1, rotated_by = $2 \
             FROM sessions s \
             WHERE t.digest = $3 AND t.rotated_at IS NULL AND t.expires_at > $1 \
               AND s.id = t.session_id AND s.revoked_at IS NULL AND s.expires_at > $1 \
             RETURNING t.session_id), \
         next AS ( \
             INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) \
             SELECT $4, session_id, $1, $5 FROM rotated) \
         UPDATE sessions SET last_used_at = $1, expires_at = $5 FROM rotated WHERE id = rotated.session_id \
         RETURNING user_id, id",
    )
    .bind(rotation.now)
    .bind(rotation.client.as_slice())
    .bind(rotation.token.as_slice())
    .bind(rotation.next.as_slice())
    .bind(rotation.expires_at)
    .fetch_optional(tx)
    .await
}

/// Finds a token that was rotated before, and whether its session still lives.
pub(super) async fn find_rotated(
    tx: &mut PgConnection,
    token: &[u8; 32],
) -> sqlx::Result<Option<RotatedRow>> {
    sqlx::query_as(
        "SELECT s.user_id, s.id AS session_id, t.rotated_at, t.rotated_by, s.revoked_at IS NULL AS lives \
         FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id \
         WHERE t.digest = $1 AND t.rotated_at IS NOT NULL",
    )
    .bind(token.as_slice())
    .fetch_optional(tx)
    .await
}

pub(super) async fn insert_token(
    tx: &mut PgConnection,
    session: SessionId,
    token: &[u8; 32],
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(token.as_slice())
    .bind(session)
    .bind(now)
    .bind(expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn revoke(
    tx: &mut PgConnection,
    session: SessionId,
    why: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET revoked_at = $1, revoked_for = $2 WHERE id = $3 AND revoked_at IS NULL")
        .bind(now)
        .bind(why)
        .bind(session)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn revoke_own(
    tx: &mut PgConnection,
    user: UserId,
    session: SessionId,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "UPDATE sessions SET revoked_at = $1, revoked_for = 'the person ended it' \
         WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL AND expires_at > $1",
    )
    .bind(now)
    .bind(session)
    .bind(user)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Ends all sessions of `user` but `kept`. Returns how many.
pub(super) async fn revoke_all_of(
    tx: &mut PgConnection,
    user: UserId,
    kept: Option<SessionId>,
    why: &str,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "UPDATE sessions SET revoked_at = $1, revoked_for = $2 \
         WHERE user_id = $3 AND revoked_at IS NULL AND expires_at > $1 AND id IS DISTINCT FROM $4",
    )
    .bind(now)
    .bind(why)
    .bind(user)
    .bind(kept)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn revoke_by_token(
    tx: &mut PgConnection,
    token: &[u8; 32],
    now: Timestamp,
) -> sqlx::Result<Option<(UserId, SessionId)>> {
    sqlx::query_as(
        "UPDATE sessions s SET revoked_at = $1, revoked_for = 'the person logged out' FROM refresh_tokens t \
         WHERE t.digest = $2 AND s.id = t.session_id AND s.revoked_at IS NULL RETURNING s.user_id, s.id",
    )
    .bind(now)
    .bind(token.as_slice())
    .fetch_optional(tx)
    .await
}

/// Lists the sessions that live at `now`.
pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    now: Timestamp,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Session>> {
    sqlx::query_as(
        "SELECT id, method, address, user_agent, created_at, last_used_at, expires_at FROM sessions \
         WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND ($3::uuid IS NULL OR id < $3) \
         ORDER BY id DESC LIMIT $4",
    )
    .bind(user)
    .bind(now)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Finds the person's sessions, ended ones that are not pruned among them.
pub(in crate::identity) async fn find_all_of(
    tx: &mut PgConnection,
    user: UserId,
    limit: i64,
) -> sqlx::Result<Vec<Session>> {
    sqlx::query_as(
        "SELECT id, method, address, user_agent, created_at, last_used_at, expires_at FROM sessions \
         WHERE user_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(user)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(in crate::identity) async fn is_live(
    tx: &mut PgConnection,
    id: SessionId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2)",
    )
    .bind(id)
    .bind(now)
    .fetch_one(tx)
    .await
}

/// Deletes refresh tokens that are refused for their age, rotated or not.
pub(in crate::identity) async fn prune_tokens(
    tx: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM refresh_tokens WHERE digest = ANY (ARRAY( \
             SELECT digest FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
    )
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes sessions, and with them their tokens, a while after their end.
pub(in crate::identity) async fn prune(
    tx: &mut PgConnection,
    ended_before: Timestamp,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM sessions WHERE id = ANY (ARRAY( \
             SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
    )
    .bind(ended_before)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
