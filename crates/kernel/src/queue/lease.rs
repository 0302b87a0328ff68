//! The worker's lease: which of the workers claims jobs and runs schedules.
//!
//! Nothing guarantees that only one worker runs: two live during a deploy. The lease makes one of
//! them work and the others stand by. Its epoch grows whenever it changes hands, and each claim
//! checks it; so one that lost the lease without noticing claims nothing. Jobs stay correct without
//! the lease too, by their own fencing tokens: it is there for schedules and for order.

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
/// Those of the database.
pub async fn acquire(db: &Db, holder: &str, ttl: Duration) -> Result<Option<i64>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let epoch = store::acquire_lease(&mut tx, holder, ttl).await?;
    tx.commit().await?;
    Ok(epoch)
}

/// Makes the lease of `epoch` end `ttl` from now. `false` when another has taken it since.
///
/// # Errors
/// Those of the database.
pub async fn renew(db: &Db, epoch: i64, ttl: Duration) -> Result<bool> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let renewed = store::renew_lease(&mut tx, epoch, ttl).await?;
    tx.commit().await?;
    Ok(renewed)
}

/// Gives the lease of `epoch` up, so that another can take it at once.
///
/// # Errors
/// Those of the database.
pub async fn release(db: &Db, epoch: i64) -> Result<()> {
    let mut tx = db.begin(DbScope::Worker).await?;
    store::release_lease(&mut tx, epoch).await?;
    tx.commit().await?;
    Ok(())
}
