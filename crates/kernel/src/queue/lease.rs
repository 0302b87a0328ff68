//! The worker's lease, whose holder alone claims jobs and runs schedules.
//!
//! Nothing guarantees that only one worker runs: two live during a deploy. The lease makes one of
//! them work and the others stand by. Its epoch grows whenever it changes hands, and each claim
//! checks it; so a worker that lost the lease without noticing claims nothing. Jobs stay correct
//! without the lease too, by their own fencing tokens; schedules and the order of work need it.

use std::time::Duration;

use super::store;
use crate::{
    db::{Db, DbScope},
    error::Result,
};

/// Takes the lease for `ttl` if nobody holds it. Returns its new epoch, or `None` while another
/// holds it.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn acquire(db: &Db, holder: &str, ttl: Duration) -> Result<Option<i64>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let epoch = store::acquire_lease(&mut tx, holder, ttl).await?;
    tx.commit().await?;
    Ok(epoch)
}

/// Makes the lease of `epoch` end `ttl` from now. Returns `false` when another has taken it since.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn renew(db: &Db, epoch: i64, ttl: Duration) -> Result<bool> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let renewed = store::renew_lease(&mut tx, epoch, ttl).await?;
    tx.commit().await?;
    Ok(renewed)
}

/// Releases the lease of `epoch`, so that another can take it at once.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn release(db: &Db, epoch: i64) -> Result<()> {
    let mut tx = db.begin(DbScope::Worker).await?;
    store::release_lease(&mut tx, epoch).await?;
    tx.commit().await?;
    Ok(())
}
