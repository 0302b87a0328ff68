//! The layer that turns the outcome of a run into the settlement of its job.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis_core::task::Task;
use futures::future::BoxFuture;
use kernel::{
    Ids,
    effect::Retry,
    queue::{Claim, Claimed, Outcome, Settlement},
};
use tower::{Layer, Service};

use super::{failure::Failure, settlements::Settlements};
use crate::{
    metrics,
    registry::{BoxError, Registry},
    timing::jittered,
};

/// The longest time for which the other side of an effect can delay a job.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Turns the result of a run into the [`Settlement`] of its job. It is the outermost layer, so that
/// it sees everything that happens to a run.
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
            let SettleLayer { registry, ids, .. } = &running.layer;
            let settlement = match run.await {
                Ok(Outcome::Done) => Settlement::Done,
                Ok(Outcome::Snooze(after)) => Settlement::Snooze { after },
                Err(error) => {
                    let Failure { error, retry } = Failure::of(error);
                    match retry {
                        Retry::Never => Settlement::Dead { error },
                        _ if attempt >= last => Settlement::Dead { error },
                        Retry::After(wait) => Settlement::Retry { after: wait.min(MAX_WAIT), error },
                        Retry::Backoff => Settlement::Retry {
                            after: jittered(ids, registry.backoff(&kind, attempt)),
                            error,
                        },
                    }
                }
            };
            let label = registry.label(&kind);
            if let Settlement::Dead { error } = &settlement {
                tracing::error!(job = running.claim.id, kind, error, attempt, "job is dead");
            }
            metrics::job_ended(label, name(&settlement), started.elapsed());
            running.layer.settlements.send(running.claim, settlement).await;
            Ok(())
        })
    }
}

/// Marks a job as dropped when its future is dropped before its settlement is sent.
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
