//! The SQL of API keys.

use kernel::{
    clock::Timestamp,
    ids::{ApiKeyId, ProjectId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Key;

pub(in crate::identity) async fn insert(
    tx: &mut PgConnection,
    project: ProjectId,
    key: &Key,
    secret_hash: &[u8; 32],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO api_keys \
             (id, project_id, name, prefix, secret_hash, scopes, created_by, created_at, expires_at, \
              replaces) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(key.id)
    .bind(project)
    .bind(&key.name)
    .bind(&key.prefix)
    .bind(secret_hash.as_slice())
    .bind(key.scopes.names())
    .bind(&key.created_by)
    .bind(key.created_at)
    .bind(key.expires_at)
    .bind(key.replaces)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn find(
    tx: &mut PgConnection,
    project: ProjectId,
    id: ApiKeyId,
) -> sqlx::Result<Option<Key>> {
    sqlx::query_as(
        "SELECT id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, replaces \
         FROM api_keys WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL",
    )
    .bind(project)
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Key>> {
    sqlx::query_as(
        "SELECT id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, replaces \
         FROM api_keys WHERE project_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(project)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

pub(super) async fn count_live(
    tx: &mut PgConnection,
    project: ProjectId,
    now: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM api_keys \
         WHERE project_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(project)
    .bind(now)
    .fetch_one(tx)
    .await
}

/// Finds the key that takes over from this one.
pub(super) async fn find_successor(
    tx: &mut PgConnection,
    project: ProjectId,
    id: ApiKeyId,
) -> sqlx::Result<Option<ApiKeyId>> {
    sqlx::query_scalar(
        "SELECT id FROM api_keys WHERE project_id = $1 AND replaces = $2 AND revoked_at IS NULL",
    )
    .bind(project)
    .bind(id)
    .fetch_optional(tx)
    .await
}

pub(super) async fn expire(tx: &mut PgConnection, project: ProjectId, retired: &Key) -> sqlx::Result<()> {
    sqlx::query("UPDATE api_keys SET expires_at = $3 WHERE project_id = $1 AND id = $2")
        .bind(project)
        .bind(retired.id)
        .bind(retired.expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn revoke(
    tx: &mut PgConnection,
    project: ProjectId,
    id: ApiKeyId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL",
    )
    .bind(project)
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
