//! Housekeeping that the worker runs: settling what nobody will settle.

use sqlx::PgConnection;

use super::{RETENTION, store};
use kernel::{Caller, Core, clock::Timestamp, error::Result, ids::AgentId};

/// Settles deliveries whose intent's time is over, at most `limit`. Returns how many; more may be left when that is not below `limit`.
///
/// # Errors
/// Those of the database.
pub async fn sweep(core: &Core, limit: i64) -> Result<u64> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    let settled = store::sweep(&mut tx, core.clock.now(), limit).await?;
    tx.commit().await?;
    Ok(settled)
}

/// Forgets intents that were settled longer than [`RETENTION`] ago, at most `limit`. Returns how many; more may be left when that is not below
/// `limit`.
///
/// # Errors
/// Those of the database.
pub async fn prune(core: &Core, limit: i64) -> Result<u64> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    let forgotten = store::prune(&mut tx, core.clock.now() - RETENTION, limit).await?;
    tx.commit().await?;
    Ok(forgotten)
}

/// Gives up on open deliveries to an agent that was removed, at most `limit`. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn bury(tx: &mut PgConnection, recipient: AgentId, now: Timestamp, limit: i64) -> Result<u64> {
    Ok(store::bury(tx, recipient, now, limit).await?)
}
