//! The audit log: who did what, in the same commit as what they did. Append-only by the grants of its table.

mod store;

use sqlx::PgConnection;

use crate::{Core, error::Result, identity::Principal};

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
    Ok(store::insert(tx, core.ids.next(), core.clock.now(), by, action, subject).await?)
}
