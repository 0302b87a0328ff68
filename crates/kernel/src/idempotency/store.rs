//! The SQL of first answers.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::clock::Timestamp;

pub(super) struct Claimed {
    /// Whether nobody else was at it.
    pub(super) locked: bool,
    /// Fingerprint and sealed answer of the first request.
    pub(super) record: Option<(Vec<u8>, Vec<u8>)>,
}

/// The lock is let go with the transaction. A record that was committed after this statement began is not seen; [`insert`] then finds it.
pub(super) async fn claim(
    tx: &mut PgConnection,
    lock: i64,
    tenant: Uuid,
    key_digest: &[u8],
    now: Timestamp,
) -> sqlx::Result<Claimed> {
    let (locked, fingerprint, answer): (bool, Option<Vec<u8>>, Option<Vec<u8>>) = sqlx::query_as(
        "SELECT pg_try_advisory_xact_lock($1), r.fingerprint, r.answer \
         FROM (VALUES (1)) one LEFT JOIN idempotent_requests r ON r.tenant = $2 AND r.key_digest = $3 AND r.expires_at > $4",
    )
    .bind(lock)
    .bind(tenant)
    .bind(key_digest)
    .bind(now)
    .fetch_one(tx)
    .await?;
    Ok(Claimed { locked, record: fingerprint.zip(answer) })
}

pub(super) struct Row<'a> {
    pub(super) tenant: Uuid,
    pub(super) key_digest: &'a [u8],
    pub(super) fingerprint: &'a [u8],
    pub(super) answer: &'a [u8],
    pub(super) now: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// Whether it was written: a record that is still good is not written over.
pub(super) async fn insert(tx: &mut PgConnection, row: &Row<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO idempotent_requests AS r (tenant, key_digest, fingerprint, answer, expires_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT ON CONSTRAINT idempotent_requests_key \
         DO UPDATE SET fingerprint = EXCLUDED.fingerprint, answer = EXCLUDED.answer, expires_at = EXCLUDED.expires_at \
         WHERE r.expires_at <= $6",
    )
    .bind(row.tenant)
    .bind(row.key_digest)
    .bind(row.fingerprint)
    .bind(row.answer)
    .bind(row.expires_at)
    .bind(row.now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The first answer to one key.
#[derive(sqlx::FromRow)]
pub(super) struct Record {
    pub(super) key_digest: Vec<u8>,
    pub(super) fingerprint: Vec<u8>,
    pub(super) answer: Vec<u8>,
}

/// The records of those keys that have one.
pub(super) async fn find(
    tx: &mut PgConnection,
    tenant: Uuid,
    key_digests: &[&[u8]],
    now: Timestamp,
) -> sqlx::Result<Vec<Record>> {
    sqlx::query_as(
        "SELECT key_digest, fingerprint, answer FROM idempotent_requests \
         WHERE tenant = $1 AND key_digest = ANY ($2) AND expires_at > $3",
    )
    .bind(tenant)
    .bind(key_digests)
    .bind(now)
    .fetch_all(tx)
    .await
}

/// Records of one tenant, by column.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) tenant: Uuid,
    pub(super) key_digests: Vec<Vec<u8>>,
    pub(super) fingerprints: Vec<Vec<u8>>,
    pub(super) answers: Vec<Vec<u8>>,
}

/// How many were written: as [`insert`].
pub(super) async fn insert_all(
    tx: &mut PgConnection,
    rows: &Rows,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "INSERT INTO idempotent_requests AS r (tenant, key_digest, fingerprint, answer, expires_at) \
         SELECT $1, key_digest, fingerprint, answer, $5 FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS row(key_digest, fingerprint, answer) \
         ON CONFLICT ON CONSTRAINT idempotent_requests_key \
         DO UPDATE SET fingerprint = EXCLUDED.fingerprint, answer = EXCLUDED.answer, expires_at = EXCLUDED.expires_at \
         WHERE r.expires_at <= $6",
    )
    .bind(rows.tenant)
    .bind(&rows.key_digests)
    .bind(&rows.fingerprints)
    .bind(&rows.answers)
    .bind(expires_at)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn prune(tx: &mut PgConnection, now: Timestamp, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM idempotent_requests WHERE ctid = ANY (ARRAY( \
             SELECT ctid FROM idempotent_requests WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2))",
    )
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
