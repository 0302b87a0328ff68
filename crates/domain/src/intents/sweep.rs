//! Housekeeping that the worker runs: settling expired deliveries, and deleting old intents.

use kernel::{Core, DbScope, caller::Caller, error::Result};

use super::{limits::RETENTION, store};

/// Settles deliveries whose intent's time is over, at most `limit`. Returns how many; when that is
/// `limit`, more may be left.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn sweep(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    core.write(by, async |unit| Ok(store::sweep(unit, core.clock.now(), limit).await?)).await
}

/// Deletes intents that were settled longer than [`RETENTION`] ago, at most `limit`. Returns how
/// many; when that is `limit`, more may be left.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn prune(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    core.write(by, async |unit| Ok(store::prune(unit, core.clock.now() - RETENTION, limit).await?)).await
}
