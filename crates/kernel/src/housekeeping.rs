//! Forgetting what the kernel keeps for a while only. The worker's schedules run these.

use crate::{Core, caller::Caller, db::DbScope, error::Result, idempotency, signature};

/// Forgets up to `limit` nonces whose signatures are too old to be accepted. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn prune_nonces(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    core.write(by, async |unit| signature::prune_nonces(unit, core.clock.now(), limit).await).await
}

/// Forgets up to `limit` first responses whose time is over. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn prune_responses(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    core.write(by, async |unit| idempotency::prune(unit, core.clock.now(), limit).await).await
}
