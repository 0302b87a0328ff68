//! What happens around one run of a job: apalis' worker and its layers, from the outside in, down to the handler.

use std::{
    any::Any,
    fmt,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use apalis::layers::{catch_panic::CatchPanicLayer, sentry::SentryLayer, tracing::TraceLayer};
use apalis_core::{
    error::WorkerError,
    monitor::Monitor,
    task::Task,
    worker::{builder::WorkerBuilder, context::WorkerContext, ext::parallelize::ParallelizeLayer},
};
use futures::future::BoxFuture;
use kernel::queue::{Claimed, Outcome, Queue};
use sentry::integrations::tower::NewSentryLayer;
use tokio_util::task::AbortOnDropHandle;
use tower::{Layer, Service, limit::ConcurrencyLimitLayer};
use tracing::Span;

use crate::{
    backend::QueueBackend,
    context::Context,
    metrics,
    registry::{BoxError, Registry},
};

/// Adds the worker of one queue to apalis' monitor, which starts it anew should it ever fail.
///
/// Each run has a task of its own, so that one busy handler does not hold up the others, which ends with the worker.
pub(crate) fn register(
    monitor: Monitor,
    queue: Queue,
    concurrency: usize,
    backend: QueueBackend,
    registry: Arc<Registry>,
    context: Context,
) -> Monitor {
    monitor.register(move |_restarts| {
        WorkerBuilder::new(queue.as_str())
            .backend(backend.clone())
            .layer(ConcurrencyLimitLayer::new(concurrency))
            .layer(ParallelizeLayer::new(spawn))
            // Apalis' Sentry layer writes into the current hub's scope: each run needs one of its own.
            .layer(NewSentryLayer::<Task<Claimed>>::new_from_top())
            .layer(TraceLayer::new().make_span_with(span).on_request(started).on_response(ended).on_failure(failed))
            .layer(SentryLayer::new())
            .layer(CatchPanicLayer::with_panic_handler(Panic::new as fn(&Box<dyn Any + Send>) -> Panic))
            .layer(DeadlineLayer)
            .build(Handler { registry: registry.clone(), context: context.clone() })
    })
}

/// Whether apalis is to start a worker that failed anew: always, since our backend cannot fail and a bug must not stop the queue.
pub(crate) fn restart(worker: &WorkerContext, error: &WorkerError) -> bool {
    tracing::error!(queue = worker.name(), %error, "the queue's worker failed; starting it anew");
    true
}

fn spawn<F>(run: F) -> AbortOnDropHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(run))
}

fn span(task: &Task<Claimed>) -> Span {
    let job = &task.args;
    tracing::info_span!(
        "job",
        id = job.claim.id,
        kind = job.kind,
        attempt = job.attempt,
        traceparent = job.traceparent.as_deref()
    )
}

fn started(_: &Task<Claimed>, _: &Span) {
    tracing::debug!("job started");
}

fn ended(outcome: &Outcome, took: Duration, _: &Span) {
    tracing::debug!(?outcome, ms = took.as_millis(), "job ended");
}

fn failed(error: &BoxError, took: Duration, _: &Span) {
    tracing::warn!(error = %metrics::chain(error.as_ref()), ms = took.as_millis(), "job failed");
}

/// A handler panicked.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked: {0}")]
struct Panic(String);

impl Panic {
    fn new(payload: &Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned()))
    }
}

/// A handler took longer than its job may.
#[derive(Debug, thiserror::Error)]
#[error("the handler was stopped: it may take {0:?}")]
struct TimedOut(Duration);

/// Bounds each run by its job's own timeout.
#[derive(Debug, Clone, Copy)]
struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

#[derive(Debug, Clone)]
struct Deadline<S> {
    inner: S,
}

impl<S> Service<Task<Claimed>> for Deadline<S>
where
    S: Service<Task<Claimed>, Response = Outcome, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Outcome, BoxError>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let limit = task.args.timeout;
        let run = self.inner.call(task);
        Box::pin(async move { tokio::time::timeout(limit, run).await.map_err(|_| TimedOut(limit))? })
    }
}

/// The innermost service: finds the handler and runs it.
#[derive(Clone)]
struct Handler {
    registry: Arc<Registry>,
    context: Context,
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registry.fmt(f)
    }
}

impl Service<Task<Claimed>> for Handler {
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Outcome, BoxError>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let Self { registry, context } = self.clone();
        Box::pin(async move {
            let job = &task.args;
            sentry::configure_scope(|scope| {
                scope.set_transaction(Some(&job.kind));
                scope.set_tag("job.kind", &job.kind);
                scope.set_tag("job.id", job.claim.id);
                scope.set_tag("job.attempt", job.attempt);
            });
            registry.run(context, job).await
        })
    }
}
