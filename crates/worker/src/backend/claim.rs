//! Claiming the jobs of one queue for the channel that the queue's backend reads.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kernel::{
    Db, Ids,
    queue::{self, Claimed, Queue},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::claims::Claims;
use crate::{
    backoff::Backoff,
    error_text::chain,
    metrics,
    registry::Registry,
    timing::{Timing, bounded, jittered, rest},
};

/// The most jobs in one statement.
const BATCH: usize = 100;

/// The task that claims jobs of one queue.
pub(crate) struct Claimer {
    pub(crate) db: Db,
    pub(crate) ids: Ids,
    pub(crate) epoch: i64,
    pub(crate) queue: Queue,
    pub(crate) timing: Timing,
    pub(crate) registry: Arc<Registry>,
    pub(crate) claims: Arc<Claims>,
    /// Notified when jobs may have been enqueued.
    pub(crate) notified: Arc<Notify>,
    pub(crate) jobs: mpsc::Sender<Claimed>,
}

impl Claimer {
    /// Claims until `stop`. A claim under way is finished first, so that no job is claimed and
    /// forgotten.
    ///
    /// Never claims more jobs than the channel has room for, since a claim must be renewed and
    /// keeps others from running the job. Waits until half of the channel is free, since claiming
    /// many jobs costs no more than claiming one.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(self.ids.clone());
        let half = self.jobs.max_capacity().div_ceil(2);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                // Only this task fills the channel, so the free part stays free.
                free = self.jobs.reserve_many(half) => if free.is_err() { return },
            }
            let room = self.jobs.capacity().min(BATCH);
            let Ok(permits) = self.jobs.try_reserve_many(room) else { continue };

            let asked = Instant::now();
            match bounded(queue::claim(&self.db, self.epoch, self.queue, room, self.timing.claim)).await {
                Ok(claimed) => {
                    backoff.reset();
                    let full = claimed.len() == room;
                    self.hand_over(claimed, permits, asked + self.timing.claim);
                    if !full && !self.wait_for_more(&stop).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        queue = %self.queue,
                        error = %chain(&error),
                        "cannot claim jobs; trying again"
                    );
                    if !rest(backoff.after_failure(), &stop).await {
                        return;
                    }
                }
            }
        }
    }

    fn hand_over<'a>(
        &self,
        claimed: Vec<Claimed>,
        permits: impl Iterator<Item = mpsc::Permit<'a, Claimed>>,
        until: Instant,
    ) {
        let (dead, alive): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|job| job.dead);
        for job in dead {
            tracing::error!(
                job = job.claim.id,
                kind = job.kind,
                "job is dead: its worker vanished during the last attempt"
            );
            metrics::job_ended(self.registry.label(&job.kind), "dead", Duration::ZERO);
        }
        for (job, permit) in alive.into_iter().zip(permits) {
            self.claims.add(job.claim, until);
            permit.send(job);
        }
    }

    /// Waits for a hint, or for the next poll in case the hint was lost.
    async fn wait_for_more(&self, stop: &CancellationToken) -> bool {
        tokio::select! {
            going_on = rest(jittered(&self.ids, self.timing.poll), stop) => going_on,
            () = self.notified.notified() => true,
        }
    }
}
