//! Pruning of records that the kernel keeps for a limited time. The worker's schedules run it.

use crate::{Core, caller::Caller, db::DbScope, error::Result, idempotency, signature};

/// Deletes up to `limit` nonces whose signatures are too old to be accepted. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn prune_nonces(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    core.write(by, async |unit| signature::prune_nonces(unit, core.clock.now(), limit).await).await
}

/// Deletes up to `limit` first responses that have expired. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn prune_responses(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    core.write(by, async |unit| idempotency::prune(unit, core.clock.now(), limit).await).await
}
