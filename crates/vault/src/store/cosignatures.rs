//! The SQL of cosignatures.

use kernel::{clock::Timestamp, error::Result, ids::ProjectId};
use sqlx::PgConnection;

use crate::convert::unsigned;

/// Returns the lines of witnesses on the checkpoint of that size.
pub(crate) async fn lines(tx: &mut PgConnection, project: ProjectId, size: u64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT line FROM vault_cosignatures WHERE project_id = $1 AND size = $2 \
         ORDER BY witness LIMIT 16",
    )
    .bind(project)
    .bind(size.cast_signed())
    .fetch_all(tx)
    .await
}

/// Returns the largest size for which a cosignature by one of `witnesses` is stored.
pub(crate) async fn newest_size(
    tx: &mut PgConnection,
    project: ProjectId,
    witnesses: &[String],
) -> Result<Option<u64>> {
    let size: Option<i64> = sqlx::query_scalar(
        "SELECT max(size) FROM vault_cosignatures WHERE project_id = $1 AND witness = ANY ($2)",
    )
    .bind(project)
    .bind(witnesses)
    .fetch_one(tx)
    .await?;
    size.map(unsigned).transpose()
}

/// Returns the commit time of the first head that is newer than all that the witness has cosigned.
pub(crate) async fn uncosigned_since(
    tx: &mut PgConnection,
    project: ProjectId,
    witness: &str,
) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar(
        "SELECT at FROM vault_checkpoints WHERE project_id = $1 AND size > COALESCE( \
             (SELECT max(size) FROM vault_cosignatures WHERE project_id = $1 AND witness = $2), 0) \
         ORDER BY size LIMIT 1",
    )
    .bind(project)
    .bind(witness)
    .fetch_optional(tx)
    .await
}

/// Inserts a cosignature that was verified. Of several by one witness on one size the first stays.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    witness: &str,
    line: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_cosignatures (project_id, size, witness, line, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(project)
    .bind(size.cast_signed())
    .bind(witness)
    .bind(line)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
