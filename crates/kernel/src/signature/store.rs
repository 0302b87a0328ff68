//! The SQL of consumed nonces.

use sqlx::PgConnection;

use crate::{clock::Timestamp, ids::ProjectId};

/// Inserts a nonce. Returns false when it was there already. Waits for a transaction that is
/// inserting the same.
pub(super) async fn insert_nonce(
    tx: &mut PgConnection,
    project: ProjectId,
    digest: &[u8; 32],
    expires_at: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO signature_nonces (project_id, digest, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO \
        NOTHING",
    )
    .bind(project)
    .bind(digest.as_slice())
    .bind(expires_at)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Inserts nonces as [`insert_nonce`] does one. Returns those of `digests` that were not there
/// already.
pub(super) async fn insert_nonces(
    tx: &mut PgConnection,
    project: ProjectId,
    digests: &[&[u8]],
    expire_at: &[Timestamp],
) -> sqlx::Result<Vec<Vec<u8>>> {
    // In one order, so that two transactions with the same nonces wait for each other and never in
    // a circle.
    sqlx::query_scalar(
        "INSERT INTO signature_nonces (project_id, digest, expires_at) \
         SELECT $1, digest, expires_at \
         FROM unnest($2::bytea[], $3::timestamptz[]) AS row(digest, expires_at) ORDER BY digest \
         ON CONFLICT DO NOTHING RETURNING digest",
    )
    .bind(project)
    .bind(digests)
    .bind(expire_at)
    .fetch_all(tx)
    .await
}

pub(super) async fn delete_nonces(tx: &mut PgConnection, now: Timestamp, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM signature_nonces WHERE digest IN \
         (SELECT digest FROM signature_nonces WHERE expires_at < $1 LIMIT $2)",
    )
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
