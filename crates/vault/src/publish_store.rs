//! The SQL of the meta-log and its witnesses.

use sqlx::{FromRow, PgConnection};

use super::store::unsigned;
use kernel::{
    clock::Timestamp,
    error::Result,
    ids::{LogId, ProjectId},
};

/// A log whose head is not in the meta-log yet.
#[derive(FromRow)]
pub(super) struct Moved {
    #[sqlx(rename = "project_id")]
    pub(super) project: ProjectId,
    pub(super) size: i64,
    pub(super) root: Vec<u8>,
}

/// From here on the transaction, which is a job's, sees the rows of all projects.
pub(super) async fn leave_tenant(tx: &mut PgConnection) -> sqlx::Result<()> {
    set_tenant(tx, "").await
}

/// From here on the transaction sees the rows of that project alone.
pub(super) async fn enter_tenant(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<()> {
    set_tenant(tx, &project.uuid().to_string()).await
}

async fn set_tenant(tx: &mut PgConnection, tenant: &str) -> sqlx::Result<()> {
    sqlx::query("SELECT set_config('app.project_id', $1, true)").bind(tenant).execute(tx).await?;
    Ok(())
}

/// Logs that have grown since their head was published.
pub(super) async fn moved(tx: &mut PgConnection, limit: usize) -> sqlx::Result<Vec<Moved>> {
    sqlx::query_as(
        "SELECT l.project_id, l.size, c.root FROM vault_logs l \
         JOIN vault_checkpoints c ON c.project_id = l.project_id AND c.size = l.size \
         LEFT JOIN vault_progress p ON p.project_id = l.project_id \
         WHERE l.size > COALESCE(p.published_size, 0) AND l.project_id <> $1 ORDER BY l.project_id LIMIT $2",
    )
    .bind(LogId::META.project())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(tx)
    .await
}

/// Notes which heads were published.
pub(super) async fn published(tx: &mut PgConnection, heads: &[Moved]) -> sqlx::Result<()> {
    let (projects, sizes): (Vec<ProjectId>, Vec<i64>) = heads.iter().map(|moved| (moved.project, moved.size)).unzip();
    sqlx::query(
        "INSERT INTO vault_progress AS p (project_id, published_size) SELECT * FROM unnest($1::uuid[], $2::bigint[]) \
         ON CONFLICT (project_id) DO UPDATE SET published_size = greatest(p.published_size, EXCLUDED.published_size)",
    )
    .bind(projects)
    .bind(sizes)
    .execute(tx)
    .await?;
    Ok(())
}

/// The newest entry of a kind.
pub(super) async fn newest_of_kind(
    tx: &mut PgConnection,
    project: ProjectId,
    kind: &str,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT entry FROM vault_entries WHERE project_id = $1 AND kind = $2 ORDER BY index DESC LIMIT 1",
    )
    .bind(project)
    .bind(kind)
    .fetch_optional(tx)
    .await
}

/// The largest size that a witness cosigned, as far as we were told.
pub(super) async fn last_cosigned(tx: &mut PgConnection, project: ProjectId, witness: &str) -> Result<Option<u64>> {
    let size: Option<i64> =
        sqlx::query_scalar("SELECT max(size) FROM vault_cosignatures WHERE project_id = $1 AND witness = $2")
            .bind(project)
            .bind(witness)
            .fetch_one(tx)
            .await?;
    size.map(unsigned).transpose()
}

/// The largest size that one of `witnesses` cosigned.
pub(super) async fn newest_cosigned(
    tx: &mut PgConnection,
    project: ProjectId,
    witnesses: &[String],
) -> Result<Option<u64>> {
    let size: Option<i64> =
        sqlx::query_scalar("SELECT max(size) FROM vault_cosignatures WHERE project_id = $1 AND witness = ANY ($2)")
            .bind(project)
            .bind(witnesses)
            .fetch_one(tx)
            .await?;
    size.map(unsigned).transpose()
}

/// The newest entry of a kind about a subject, of the first `size`.
pub(super) async fn newest_about(
    tx: &mut PgConnection,
    project: ProjectId,
    kind: &str,
    subject: &str,
    size: u64,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT entry FROM vault_entries WHERE project_id = $1 AND kind = $2 AND subject = $3 AND index < $4 \
         ORDER BY index DESC LIMIT 1",
    )
    .bind(project)
    .bind(kind)
    .bind(subject)
    .bind(size.cast_signed())
    .fetch_optional(tx)
    .await
}

/// When the first head was committed that the witness has not cosigned, nor a later one.
pub(super) async fn uncosigned_since(
    tx: &mut PgConnection,
    project: ProjectId,
    witness: &str,
) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar(
        "SELECT at FROM vault_checkpoints WHERE project_id = $1 AND size > COALESCE((SELECT max(size) \
             FROM vault_cosignatures WHERE project_id = $1 AND witness = $2), 0) ORDER BY size LIMIT 1",
    )
    .bind(project)
    .bind(witness)
    .fetch_optional(tx)
    .await
}

/// Keeps a cosignature that was verified. The same witness may cosign a size again: the first stays.
pub(super) async fn insert_cosignature(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    witness: &str,
    line: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_cosignatures (project_id, size, witness, line, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
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
