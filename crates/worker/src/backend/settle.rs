//! Says to Postgres how jobs ended: a layer that learns it from each run, and a task that writes it down in batches.

use std::{
    collections::HashMap,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use apalis::layers::sentry::SentryTaskError;
use apalis_core::task::Task;
use futures::future::BoxFuture;
use kernel::{
    Db, Ids,
    queue::{self, Claim, Claimed, Outcome, Settlement},
};
use tokio::sync::mpsc;
use tower::{Layer, Service};

use super::claims::Claims;
use crate::{
    metrics,
    registry::{BoxError, Registry},
    timing::{Backoff, bounded, jittered},
};

/// Settlements per statement.
const BATCH: usize = 500;
/// Settlements that may wait for the one being written. Jobs that end while it is full keep their slot until there is room.
const ROOM: usize = 1024;

/// Where settlements go.
#[derive(Debug, Clone)]
pub(crate) struct Settlements {
    claims: Arc<Claims>,
    queue: mpsc::Sender<(Claim, Settlement)>,
}

/// The two ends of the way from the layer to the task.
pub(crate) fn channel(claims: Arc<Claims>) -> (Settlements, mpsc::Receiver<(Claim, Settlement)>) {
    let (queue, receiver) = mpsc::channel(ROOM);
    (Settlements { claims, queue }, receiver)
}

impl Settlements {
    /// Waits for room. A claim counts as settling only from when its settlement cannot be lost in this process any more.
    pub(crate) async fn send(&self, claim: Claim, settlement: Settlement) {
        if let Ok(permit) = self.queue.reserve().await {
            self.claims.settling(claim);
            permit.send((claim, settlement));
        }
    }
}

/// Writes settlements until every [`Settlements`] is gone and the last one is written.
///
/// Batches form by themselves: what arrives while one is written makes the next. What cannot be written is tried again while the claim
/// lasts, and dropped after: the job then runs again.
pub(crate) async fn write(db: Db, ids: Ids, claims: Arc<Claims>, mut settlements: mpsc::Receiver<(Claim, Settlement)>) {
    let mut backoff = Backoff::new(ids);
    let mut batch = HashMap::new();
    loop {
        if batch.is_empty() {
            let Some((claim, settlement)) = settlements.recv().await else { return };
            batch.insert(claim, settlement);
        }
        while batch.len() < BATCH
            && let Ok((claim, settlement)) = settlements.try_recv()
        {
            batch.insert(claim, settlement);
        }
        match bounded(queue::settle(&db, &batch)).await {
            Ok(stale) => {
                backoff.reset();
                for claim in stale {
                    tracing::info!(job = claim.id, lease = claim.lease, "the job was settled or claimed anew before");
                    metrics::settlement_lost("stale");
                }
                batch.drain().for_each(|(claim, _)| claims.forget(claim));
            }
            Err(error) => {
                tracing::warn!(waiting = batch.len(), error = %metrics::chain(&error), "cannot settle jobs; trying again");
                batch.retain(|claim, _| claims.is_ours(*claim) || give_up(&claims, *claim));
                tokio::time::sleep(backoff.after_failure()).await;
            }
        }
    }
}

fn give_up(claims: &Claims, claim: Claim) -> bool {
    tracing::warn!(job = claim.id, "the claim ended before the job could be settled: it will run again");
    metrics::settlement_lost("expired");
    claims.forget(claim);
    false
}

/// Turns what a run returns into the job's [`Settlement`]. The outermost layer: nothing that happens to a run escapes it.
#[derive(Debug, Clone)]
pub(crate) struct SettleLayer {
    pub(crate) settlements: Settlements,
    pub(crate) registry: Arc<Registry>,
    pub(crate) ids: Ids,
}

impl<S> Layer<S> for SettleLayer {
    type Service = Settle<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Settle { inner, layer: self.clone() }
    }
}

/// The service of [`SettleLayer`].
#[derive(Debug, Clone)]
pub(crate) struct Settle<S> {
    inner: S,
    layer: SettleLayer,
}

impl<S> Service<Task<Claimed>> for Settle<S>
where
    S: Service<Task<Claimed>, Response = Outcome, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let running = Running { layer: self.layer.clone(), claim: task.args.claim };
        let (kind, attempt, last) = (task.args.kind.clone(), task.args.attempt, task.args.max_attempts);
        let started = Instant::now();
        let run = self.inner.call(task);
        Box::pin(async move {
            let settlement = match run.await {
                Ok(Outcome::Done) => Settlement::Done,
                Ok(Outcome::Snooze(after)) => Settlement::Snooze { after },
                Err(error) if attempt >= last => Settlement::Dead { error: error_text(error) },
                Err(error) => Settlement::Retry {
                    after: jittered(&running.layer.ids, running.layer.registry.backoff(&kind, attempt)),
                    error: error_text(error),
                },
            };
            let label = running.layer.registry.label(&kind);
            if let Settlement::Dead { error } = &settlement {
                tracing::error!(job = running.claim.id, kind, error, "job given up: its last attempt failed");
            }
            metrics::job_ended(label, name(&settlement), started.elapsed());
            running.layer.settlements.send(running.claim, settlement).await;
            Ok(())
        })
    }
}

/// Notices when a run's future is dropped before its settlement is on its way.
struct Running {
    layer: SettleLayer,
    claim: Claim,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.layer.settlements.claims.dropped(self.claim);
    }
}

fn name(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Done => "done",
        Settlement::Retry { .. } => "retry",
        Settlement::Snooze { .. } => "snooze",
        Settlement::Dead { .. } => "dead",
        Settlement::HandBack => "handed_back",
    }
}

/// What is kept of an error, without the wrapping of the layers it passed: its text and its sources', as long as a person may want to
/// read, and without the NUL that Postgres refuses.
fn error_text(error: BoxError) -> String {
    const LONGEST: usize = 2000;
    let error = match error.downcast::<SentryTaskError>() {
        Ok(wrapped) => match *wrapped {
            SentryTaskError::Inner(inner) => inner,
            other => other.into(),
        },
        Err(error) => error,
    };
    let mut text = metrics::chain(error.as_ref()).replace('\0', "");
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}
