//! The SQL of the audit log.

use sqlx::PgConnection;

use crate::{clock::Timestamp, identity::Principal, ids::AuditId};

pub(super) async fn insert(
    tx: &mut PgConnection,
    id: AuditId,
    at: Timestamp,
    by: &Principal,
    action: &str,
    subject: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO audit_events (id, project_id, at, actor, action, subject, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(by.project)
    .bind(at)
    .bind(by.actor.to_string())
    .bind(action)
    .bind(subject)
    .bind(&by.request.id)
    .execute(tx)
    .await?;
    Ok(())
}
