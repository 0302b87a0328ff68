//! The SQL of the sizes that logs were committed at.

use kernel::{
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
};
use sqlx::{FromRow, PgConnection};
use tlog_tiles::Hash;

use crate::{
    convert::unsigned,
    model::{Head, LastCheck},
};

#[derive(FromRow)]
struct Checkpoint {
    size: i64,
    root: Vec<u8>,
    at: Timestamp,
}

impl TryFrom<Checkpoint> for Head {
    type Error = Error;

    fn try_from(row: Checkpoint) -> Result<Self> {
        let root = row.root.try_into().map_err(|_| Error::internal("a root does not have 32 bytes"))?;
        Ok(Head { size: unsigned(row.size)?, root: Hash(root), at: row.at })
    }
}

/// Returns the newest head; `None` of a log without entries.
pub(crate) async fn newest(tx: &mut PgConnection, project: ProjectId) -> Result<Option<Head>> {
    let row: Option<Checkpoint> = sqlx::query_as(
        "SELECT size, root, at FROM vault_checkpoints WHERE project_id = $1 ORDER BY size DESC LIMIT 1",
    )
    .bind(project)
    .fetch_optional(tx)
    .await?;
    row.map(Head::try_from).transpose()
}

/// Returns the head at a size that the log was committed at.
///
/// # Errors
/// `Internal` when it was never committed at that size.
pub(crate) async fn at_size(tx: &mut PgConnection, project: ProjectId, size: u64) -> Result<Head> {
    let row: Option<Checkpoint> =
        sqlx::query_as("SELECT size, root, at FROM vault_checkpoints WHERE project_id = $1 AND size = $2")
            .bind(project)
            .bind(size.cast_signed())
            .fetch_optional(tx)
            .await?;
    let never = || Error::internal(format!("the log was never committed at size {size}"));
    row.ok_or_else(never)?.try_into()
}

/// Returns the time and the result of the log's last check.
pub(crate) async fn last_check(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<Option<LastCheck>> {
    sqlx::query_as(
        "SELECT checked_at AS at, checked_size AS size, checked_finding AS finding \
         FROM vault_progress WHERE project_id = $1",
    )
    .bind(project)
    .fetch_optional(tx)
    .await
}
