//! Waiting for the worker's lease, keeping it and releasing it. See [`kernel::queue::lease`].

use std::time::Duration;

use kernel::{Db, Ids, queue::lease};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    error_text::chain,
    state::{Phase, State},
    timing::{Timing, bounded, jittered, rest},
};

/// The timeout of releasing the lease.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// This worker as a candidate for the lease.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) db: Db,
    pub(crate) ids: Ids,
    pub(crate) timing: Timing,
    pub(crate) holder: String,
    pub(crate) state: State,
}

/// The lease, while it is held.
#[derive(Debug)]
pub(crate) struct Lease {
    candidate: Candidate,
    pub(crate) epoch: i64,
}

/// The reason why a lease is no longer kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The worker stops. The lease is still held.
    Stopping,
    /// Another worker has it.
    Lost,
}

impl Candidate {
    /// Waits for the lease and returns it, or `None` when `stop` came first.
    pub(crate) async fn wait(&self, stop: &CancellationToken) -> Option<Lease> {
        let mut backoff = Backoff::new(self.ids.clone());
        let mut standing_by = false;
        while !stop.is_cancelled() {
            let wait = match bounded(lease::acquire(&self.db, &self.holder, self.timing.lease)).await {
                Ok(Some(epoch)) => {
                    tracing::info!(epoch, holder = self.holder, "this worker has the lease: it works now");
                    return Some(Lease { candidate: self.clone(), epoch });
                }
                Ok(None) => {
                    backoff.reset();
                    if !standing_by {
                        tracing::info!(
                            holder = self.holder,
                            "another worker has the lease: this one stands by"
                        );
                        standing_by = true;
                    }
                    self.state.enter(Phase::StandingBy);
                    jittered(&self.ids, self.timing.standby)
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "cannot ask for the worker's lease; trying again");
                    self.state.enter(Phase::WithoutDatabase);
                    backoff.after_failure()
                }
            };
            rest(wait, stop).await;
        }
        None
    }
}

impl Lease {
    /// Renews the lease until `stop`, or until another worker has it. While Postgres is away,
    /// nobody can take the lease or claim jobs.
    pub(crate) async fn keep(&self, stop: &CancellationToken) -> End {
        let Candidate { db, ids, timing, state, .. } = &self.candidate;
        let mut backoff = Backoff::new(ids.clone());
        let mut wait = timing.lease_renewal;
        state.enter(Phase::Working);
        while rest(wait, stop).await {
            wait = match bounded(lease::renew(db, self.epoch, timing.lease)).await {
                Ok(true) => {
                    backoff.reset();
                    state.enter(Phase::Working);
                    timing.lease_renewal
                }
                Ok(false) => {
                    tracing::warn!(
                        epoch = self.epoch,
                        "another worker has taken the lease: this one stops working"
                    );
                    return End::Lost;
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "cannot renew the worker's lease; trying again");
                    state.enter(Phase::WithoutDatabase);
                    backoff.after_failure()
                }
            };
        }
        End::Stopping
    }

    /// Releases the lease, so that a standby takes over at once. If that fails, the lease expires.
    pub(crate) async fn release(self) {
        let released =
            tokio::time::timeout(RELEASE_TIMEOUT, lease::release(&self.candidate.db, self.epoch)).await;
        match released.map_err(kernel::Error::unavailable).flatten() {
            Ok(()) => tracing::info!(epoch = self.epoch, "the worker's lease is released"),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot release the lease; it will expire")
            }
        }
    }
}
