//! The innermost service, which finds the handler and runs it.

use std::{
    fmt,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use apalis_core::task::Task;
use futures::future::BoxFuture;
use kernel::queue::{Claimed, Outcome};
use tower::Service;

use crate::{
    context::Context,
    registry::{BoxError, Registry},
};

/// Runs the handler of a job.
#[derive(Clone)]
pub(super) struct Handler {
    pub(super) registry: Arc<Registry>,
    pub(super) context: Context,
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
