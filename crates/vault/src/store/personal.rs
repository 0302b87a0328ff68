//! The SQL of personal data and the keys of its subjects.

use kernel::{clock::Timestamp, ids::ProjectId};
use sqlx::PgConnection;

use crate::model::{EncryptedPersonal, NewPayload, Rewrap, WrappedKey};

/// Returns the keys of those of `subjects` that have one.
pub(crate) async fn keys(
    tx: &mut PgConnection,
    project: ProjectId,
    subjects: &[&str],
) -> sqlx::Result<Vec<WrappedKey>> {
    sqlx::query_as(
        "SELECT subject, wrapped FROM vault_subject_keys WHERE project_id = $1 AND subject = ANY ($2)",
    )
    .bind(project)
    .bind(subjects)
    .fetch_all(tx)
    .await
}

/// Inserts keys of subjects that have none.
pub(crate) async fn insert_keys(
    tx: &mut PgConnection,
    project: ProjectId,
    keys: &[WrappedKey],
    at: Timestamp,
) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO vault_subject_keys (project_id, subject, wrapped, created_at) \
         SELECT $1, subject, wrapped, $4 FROM unnest($2::text[], $3::bytea[]) AS row(subject, wrapped)",
    )
    .bind(project)
    .bind(keys.iter().map(|key| key.subject.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.wrapped.as_slice()).collect::<Vec<_>>())
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Inserts personal data of entries.
pub(crate) async fn insert_payloads(
    tx: &mut PgConnection,
    project: ProjectId,
    payloads: &[NewPayload<'_>],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_payloads (project_id, index, subject, ciphertext) \
         SELECT $1, index, subject, ciphertext \
         FROM unnest($2::bigint[], $3::text[], $4::bytea[]) AS row(index, subject, ciphertext)",
    )
    .bind(project)
    .bind(payloads.iter().map(|payload| payload.index.cast_signed()).collect::<Vec<_>>())
    .bind(payloads.iter().map(|payload| payload.subject).collect::<Vec<_>>())
    .bind(payloads.iter().map(|payload| payload.ciphertext).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// Returns the personal data of a seal, with its subject's key.
pub(crate) async fn of_seal(
    tx: &mut PgConnection,
    project: ProjectId,
    index: u64,
) -> sqlx::Result<Option<EncryptedPersonal>> {
    sqlx::query_as(
        "SELECT p.subject, k.wrapped, p.ciphertext FROM vault_payloads p \
         JOIN vault_subject_keys k ON k.project_id = p.project_id AND k.subject = p.subject \
         WHERE p.project_id = $1 AND p.index = $2",
    )
    .bind(project)
    .bind(index.cast_signed())
    .fetch_optional(tx)
    .await
}

/// Deletes the subject's key and ciphertexts. Returns how many seals had some; `None` when it has
/// no key.
pub(crate) async fn erase(tx: &mut PgConnection, subject: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT vault_erase($1)").bind(subject).fetch_one(tx).await
}

/// Returns the projects with a log in which subjects have keys.
pub(crate) async fn projects_with_keys(tx: &mut PgConnection) -> sqlx::Result<Vec<ProjectId>> {
    sqlx::query_scalar(
        "SELECT l.project_id FROM vault_logs l \
         WHERE EXISTS (SELECT FROM vault_subject_keys k WHERE k.project_id = l.project_id) \
         ORDER BY l.project_id",
    )
    .fetch_all(tx)
    .await
}

/// Returns the keys of subjects after `after`, in their order.
pub(crate) async fn keys_after(
    tx: &mut PgConnection,
    project: ProjectId,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<WrappedKey>> {
    sqlx::query_as(
        "SELECT subject, wrapped FROM vault_subject_keys \
         WHERE project_id = $1 AND subject > $2 ORDER BY subject LIMIT $3",
    )
    .bind(project)
    .bind(after)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Replaces wrapped keys of the transaction's project that are still as they were seen. Returns how
/// many.
pub(crate) async fn rewrap(tx: &mut PgConnection, keys: &[Rewrap<'_>]) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT vault_rewrap($1, $2, $3)")
        .bind(keys.iter().map(|key| key.subject).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.seen).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.rewrapped.as_slice()).collect::<Vec<_>>())
        .fetch_one(tx)
        .await
}
