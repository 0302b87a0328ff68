//! The SQL of first responses.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::clock::Timestamp;

/// The state of a key.
pub(super) struct Found {
    /// True when no other request holds the key.
    pub(super) locked: bool,
    /// Fingerprint and encrypted response of the first request.
    pub(super) record: Option<(Vec<u8>, Vec<u8>)>,
}

/// Finds the record and locks the key until the transaction ends. A record that was committed after
/// this statement began is not seen; [`insert`] then finds it.
pub(super) async fn lookup(
    tx: &mut PgConnection,
    lock: i64,
    tenant: Uuid,
    key_digest: &[u8],
    now: Timestamp,
) -> sqlx::Result<Found> {
    let (locked, fingerprint, response): (bool, Option<Vec<u8>>, Option<Vec<u8>>) = sqlx::query_as(
        "SELECT pg_try_advisory_xact_lock($1), r.fingerprint, r.response \
         FROM (VALUES (1)) one \
         LEFT JOIN idempotent_requests r ON r.tenant = $2 AND r.key_digest = $3 AND r.expires_at > $4",
    )
    .bind(lock)
    .bind(tenant)
    .bind(key_digest)
    .bind(now)
    .fetch_one(tx)
    .await?;
    Ok(Found { locked, record: fingerprint.zip(response) })
}

/// The first response under one key.
#[derive(sqlx::FromRow)]
pub(super) struct Record {
    pub(super) key_digest: Vec<u8>,
    pub(super) fingerprint: Vec<u8>,
    pub(super) response: Vec<u8>,
}

/// Returns the records of the given keys.
pub(super) async fn find(
    tx: &mut PgConnection,
    tenant: Uuid,
    key_digests: &[&[u8]],
    now: Timestamp,
) -> sqlx::Result<Vec<Record>> {
    sqlx::query_as(
        "SELECT key_digest, fingerprint, response FROM idempotent_requests \
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
pub(super) struct NewRecord {
    pub(super) key_digests: Vec<Vec<u8>>,
    pub(super) fingerprints: Vec<Vec<u8>>,
    pub(super) responses: Vec<Vec<u8>>,
}

/// Inserts records and returns how many it wrote: one that has not expired is not written over.
pub(super) async fn insert(
    tx: &mut PgConnection,
    tenant: Uuid,
    records: &NewRecord,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "INSERT INTO idempotent_requests AS r (tenant, key_digest, fingerprint, response, expires_at) \
         SELECT $1, key_digest, fingerprint, response, $5 \
         FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS row (key_digest, fingerprint, response) \
         ON CONFLICT ON CONSTRAINT idempotent_requests_key DO UPDATE \
             SET fingerprint = EXCLUDED.fingerprint, response = EXCLUDED.response, \
                 expires_at = EXCLUDED.expires_at \
             WHERE r.expires_at <= $6",
    )
    .bind(tenant)
    .bind(&records.key_digests)
    .bind(&records.fingerprints)
    .bind(&records.responses)
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
