//! The worker's side of the queue: taking jobs, keeping them, and saying how they ended.

use std::{collections::HashMap, time::Duration};

use serde_json::value::RawValue;

use super::{Queue, store};
use crate::{Caller, Db, error::Result};

/// The right to settle one job, until its lease ends and somebody claims it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// The job.
    pub id: i64,
    /// The fencing token: no two claims of a job have the same.
    pub lease: i32,
}

/// A job that was claimed, with what running it needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right to settle it.
    pub claim: Claim,
    /// Its [`Job::KIND`](super::Job::KIND), or one that only another build knows.
    pub kind: String,
    /// Its payload, which another build may have written.
    pub payload: Box<RawValue>,
    /// Which run this is, from 1.
    pub attempt: u16,
    /// Which run is the last.
    pub max_attempts: u16,
    /// What the run may take.
    pub timeout: Duration,
    /// The W3C `traceparent` it was enqueued with.
    pub traceparent: Option<String>,
    /// The worker vanished during its last attempt: the claim buried it, and it is not to run.
    pub dead: bool,
}

/// How a claimed job is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done; its row goes.
    Done,
    /// It failed; it runs again after this long.
    Retry {
        /// From now.
        after: Duration,
        /// What went wrong.
        error: String,
    },
    /// It asked to run again after this long; its attempt is not charged.
    Snooze {
        /// From now.
        after: Duration,
    },
    /// It failed for the last time; its row stays.
    Dead {
        /// What went wrong.
        error: String,
    },
    /// It was not run, or not to its end; anybody may take it at once, and its attempt is not charged.
    HandBack,
}

/// Takes up to `limit` due jobs of `queue` for `lease`, if `epoch` is still the newest of the worker's lease.
///
/// # Errors
/// Those of the database.
pub async fn claim(db: &Db, epoch: i64, queue: Queue, limit: usize, lease: Duration) -> Result<Vec<Claimed>> {
    let mut tx = db.begin(Caller::Worker).await?;
    let claimed = store::claim(&mut tx, epoch, queue, limit, lease).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Makes the leases of `claims` end `lease` from now. Returns those it renewed; the others are settled, or just being settled, or
/// were claimed by another worker since.
///
/// # Errors
/// Those of the database.
pub async fn renew(db: &Db, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>> {
    let mut tx = db.begin(Caller::Worker).await?;
    let renewed = store::renew(&mut tx, claims, lease).await?;
    tx.commit().await?;
    Ok(renewed)
}

/// Settles jobs. Returns the claims that were stale: another worker has claimed their jobs since, or an earlier call that seemed to
/// fail had settled them. Those jobs are not touched.
///
/// # Errors
/// Those of the database; then none is settled, or, when the connection broke at the commit, all.
pub async fn settle(db: &Db, batch: &HashMap<Claim, Settlement>) -> Result<Vec<Claim>> {
    let mut tx = db.begin(Caller::Worker).await?;
    let (done, kept): (Vec<_>, Vec<_>) = batch.iter().partition(|(_, settlement)| **settlement == Settlement::Done);
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

/// Deletes up to `limit` jobs that died more than `retention` ago, the oldest first. Returns how many it deleted.
///
/// # Errors
/// Those of the database.
pub async fn prune_dead(db: &Db, retention: Duration, limit: u16) -> Result<u64> {
    let mut tx = db.begin(Caller::Worker).await?;
    let pruned = store::prune_dead(&mut tx, retention, limit).await?;
    tx.commit().await?;
    Ok(pruned)
}
