//! The SQL of single seals, and of the numbers that a log keeps.

use kernel::ids::ProjectId;
use sqlx::{PgConnection, types::Json};

use crate::model::{Counts, SealRow};

/// Returns the entry at `index`.
pub(crate) async fn entry(
    tx: &mut PgConnection,
    project: ProjectId,
    index: u64,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT entry FROM vault_entries WHERE project_id = $1 AND index = $2")
        .bind(project)
        .bind(index.cast_signed())
        .fetch_optional(tx)
        .await
}

/// Returns the seal at `index`.
pub(crate) async fn find(
    tx: &mut PgConnection,
    project: ProjectId,
    index: u64,
) -> sqlx::Result<Option<SealRow>> {
    sqlx::query_as("SELECT index, leaf_hash, entry FROM vault_entries WHERE project_id = $1 AND index = $2")
        .bind(project)
        .bind(index.cast_signed())
        .fetch_optional(tx)
        .await
}

/// Returns how many seals of the log have each verdict. The log's head counts them.
pub(crate) async fn totals(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<Option<Json<Counts>>> {
    sqlx::query_scalar("SELECT verdicts FROM vault_logs WHERE project_id = $1")
        .bind(project)
        .fetch_optional(tx)
        .await
}
