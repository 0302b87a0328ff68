//! The audit log: who did what, in the same commit as what they did. Append-only by the grants of its table.

use sqlx::PgConnection;

use crate::{Core, error::Result, identity::Principal, ids::AuditId};

/// Adds a row to the caller's transaction.
///
/// `action` is `<noun>.<past participle>`; `subject` names the thing acted on, as the wire spells it.
///
/// # Errors
/// Those of the database.
pub async fn record(
    tx: &mut PgConnection,
    core: &Core,
    by: &Principal,
    action: &'static str,
    subject: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_events (id, project_id, at, actor, action, subject, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(core.ids.next::<AuditId>())
    .bind(by.project)
    .bind(core.clock.now())
    .bind(by.actor.to_string())
    .bind(action)
    .bind(subject)
    .bind(&by.request.id)
    .execute(tx)
    .await?;
    Ok(())
}
