//! The worker's side of the queue: claiming jobs, renewing their leases, and settling them.

use std::{collections::HashMap, time::Duration};

use super::{
    job::Queue,
    model::{Claim, Claimed, QueueStats, Settlement},
    store,
};
use crate::{
    db::{Db, DbScope},
    error::Result,
};

/// Takes up to `limit` due jobs of `queue` for `lease`, if `epoch` is still the newest of the
/// worker's lease.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn claim(db: &Db, epoch: i64, queue: Queue, limit: usize, lease: Duration) -> Result<Vec<Claimed>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let claimed = store::claim(&mut tx, epoch, queue, limit, lease).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Makes the leases of `claims` end `lease` from now. Returns those it renewed; the others are
/// settled, or just being settled, or were claimed by another worker since.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn renew(db: &Db, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let renewed = store::renew(&mut tx, claims, lease).await?;
    tx.commit().await?;
    Ok(renewed)
}

/// Settles jobs. Returns the claims that were stale: another worker has claimed their jobs since,
/// or an earlier call that seemed to fail had settled them. Those jobs are not touched.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable); then none is settled, or, when the connection
/// broke at the commit, all.
pub async fn settle(db: &Db, batch: &HashMap<Claim, Settlement>) -> Result<Vec<Claim>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let (done, kept): (Vec<_>, Vec<_>) =
        batch.iter().partition(|(_, settlement)| **settlement == Settlement::Done);
    let mut settled = Vec::with_capacity(batch.len());
    if !done.is_empty() {
        let claims: Vec<Claim> = done.into_iter().map(|(claim, _)| *claim).collect();
        settled.extend(store::delete(&mut tx, &claims).await?);
    }
    if !kept.is_empty() {
        settled.extend(store::put_back(&mut tx, &kept).await?);
    }
    tx.commit().await?;
    settled.sort_unstable();
    Ok(batch.keys().filter(|claim| settled.binary_search(&claim.id).is_err()).copied().collect())
}

/// Deletes up to `limit` jobs that died more than `retention` ago, the oldest first. Returns how
/// many it deleted.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn prune_dead(db: &Db, retention: Duration, limit: i64) -> Result<u64> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let pruned = store::prune_dead(&mut tx, retention, limit).await?;
    tx.commit().await?;
    Ok(pruned)
}

/// Returns the state of every queue that has jobs.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn stats(db: &Db) -> Result<Vec<QueueStats>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let stats = store::stats(&mut tx).await?;
    tx.commit().await?;
    Ok(stats)
}
