//! The apalis worker of one queue.

use std::{any::Any, sync::Arc, time::Duration};

use apalis::layers::{catch_panic::CatchPanicLayer, sentry::SentryLayer, tracing::TraceLayer};
use apalis_core::{
    error::WorkerError,
    monitor::Monitor,
    task::Task,
    worker::{builder::WorkerBuilder, context::WorkerContext, ext::parallelize::ParallelizeLayer},
};
use kernel::queue::{Claimed, Outcome, Queue};
use sentry::integrations::tower::NewSentryLayer;
use tokio_util::task::AbortOnDropHandle;
use tower::limit::ConcurrencyLimitLayer;
use tracing::Span;

use super::{deadline::DeadlineLayer, handler::Handler, panic::Panic};
use crate::{
    backend::QueueBackend,
    context::Context,
    error_text::chain,
    registry::{BoxError, Registry},
};

/// Adds the worker of one queue to apalis' monitor, which restarts it if it fails.
///
/// Each run has a task of its own, so that one busy handler does not delay the others. The tasks
/// end with the worker.
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
            // Apalis' Sentry layer writes into the scope of the current hub, so each run needs its
            // own.
            .layer(NewSentryLayer::<Task<Claimed>>::new_from_top())
            .layer(
                TraceLayer::new()
                    .make_span_with(span)
                    .on_request(started)
                    .on_response(ended)
                    .on_failure(failed),
            )
            .layer(SentryLayer::new())
            .layer(CatchPanicLayer::with_panic_handler(Panic::new as fn(&Box<dyn Any + Send>) -> Panic))
            .layer(DeadlineLayer)
            .build(Handler { registry: registry.clone(), context: context.clone() })
    })
}

/// Tells apalis to restart a worker that failed. Our backend cannot fail, and a bug must not stop
/// the queue.
pub(crate) fn restart(worker: &WorkerContext, error: &WorkerError) -> bool {
    tracing::error!(queue = worker.name(), %error, "the queue's worker failed; restarting it");
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
    tracing::warn!(error = %chain(error.as_ref()), ms = took.as_millis(), "job failed");
}
