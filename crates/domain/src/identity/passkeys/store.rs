//! The SQL of passkeys and their ceremonies.

use kernel::{
    clock::Timestamp,
    ids::{CeremonyId, PasskeyId, UserId},
};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;
use webauthn_rs::prelude::Passkey as Credential;

use super::model::Passkey;

/// A passkey with its key material.
#[derive(FromRow)]
pub(super) struct PasskeyRow {
    pub(super) id: PasskeyId,
    #[sqlx(json)]
    pub(super) credential: Credential,
}

pub(super) async fn find_all_of(tx: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<PasskeyRow>> {
    sqlx::query_as("SELECT id, credential FROM passkeys WHERE user_id = $1 ORDER BY id LIMIT 100")
        .bind(user)
        .fetch_all(tx)
        .await
}

/// Inserts a passkey. Returns false when it is already registered.
pub(super) async fn insert(
    tx: &mut PgConnection,
    user: UserId,
    passkey: &Passkey,
    credential: &Credential,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO passkeys (id, user_id, credential_id, credential, name, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT passkeys_credential DO NOTHING",
    )
    .bind(passkey.id)
    .bind(user)
    .bind(credential.cred_id().as_slice())
    .bind(Json(credential))
    .bind(&passkey.name)
    .bind(passkey.created_at)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn mark_used(tx: &mut PgConnection, row: &PasskeyRow, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("UPDATE passkeys SET credential = $1, last_used_at = $2 WHERE id = $3")
        .bind(Json(&row.credential))
        .bind(now)
        .bind(row.id)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Passkey>> {
    sqlx::query_as(
        "SELECT id, name, created_at, last_used_at FROM passkeys \
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(user)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Deletes a passkey and returns it as it was.
pub(super) async fn delete(
    tx: &mut PgConnection,
    user: UserId,
    id: PasskeyId,
) -> sqlx::Result<Option<Passkey>> {
    sqlx::query_as(
        "DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING id, name, created_at, last_used_at",
    )
    .bind(id)
    .bind(user)
    .fetch_optional(tx)
    .await
}

pub(super) async fn insert_ceremony(
    tx: &mut PgConnection,
    id: CeremonyId,
    user: Option<UserId>,
    state: &Value,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO passkey_ceremonies (id, user_id, state, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(user)
        .bind(state)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes a ceremony and returns its state, so that only one of two concurrent requests finishes
/// it.
pub(super) async fn take_ceremony(
    tx: &mut PgConnection,
    id: CeremonyId,
    user: Option<UserId>,
    now: Timestamp,
) -> sqlx::Result<Option<Value>> {
    sqlx::query_scalar(
        "DELETE FROM passkey_ceremonies WHERE id = $1 AND user_id IS NOT DISTINCT FROM $2 AND expires_at > \
        $3 RETURNING state",
    )
    .bind(id)
    .bind(user)
    .bind(now)
    .fetch_optional(tx)
    .await
}

pub(in crate::identity) async fn prune_ceremonies(
    tx: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM passkey_ceremonies WHERE id = ANY (ARRAY( \
             SELECT id FROM passkey_ceremonies WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))",
    )
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
