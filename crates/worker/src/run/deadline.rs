//! The timeout of each run.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::task::Task;
use futures::future::BoxFuture;
use kernel::queue::{Claimed, Outcome};
use tower::{Layer, Service};

use crate::registry::BoxError;

/// The error of a handler that took longer than the timeout of its job.
#[derive(Debug, thiserror::Error)]
#[error("the handler was stopped: it may take {0:?}")]
struct TimedOut(Duration);

/// Stops each run at the timeout of its job.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Deadline<S> {
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

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let limit = task.args.timeout;
        let run = self.inner.call(task);
        Box::pin(async move { tokio::time::timeout(limit, run).await.map_err(|_| TimedOut(limit))? })
    }
}
