//! The backend of one queue, as apalis sees it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use kernel::queue::Claimed;
use tokio::sync::mpsc;

use super::{claims::Claims, settle::SettleLayer};

/// Passes the claimed jobs of one queue to apalis. Clones share the channel, since apalis builds
/// its worker again after a fault.
#[derive(Debug, Clone)]
pub(crate) struct QueueBackend {
    /// Locked only while polled.
    jobs: Arc<Mutex<mpsc::Receiver<Claimed>>>,
    claims: Arc<Claims>,
    layer: SettleLayer,
}

impl QueueBackend {
    pub(crate) fn new(jobs: mpsc::Receiver<Claimed>, claims: Arc<Claims>, layer: SettleLayer) -> Self {
        Self { jobs: Arc::new(Mutex::new(jobs)), claims, layer }
    }
}

impl Backend for QueueBackend {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Claimed>, Infallible>>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match ready!(jobs.poll_recv(cx)) {
                Some(job) if self.claims.start(job.claim) => {
                    // Identifies the attempt and not the job, so that reports of two attempts
                    // differ.
                    let id = format!("{}.{}", job.claim.id, job.claim.lease);
                    let builder = TaskBuilder::new(job).task_id(TaskId::from_string(id));
                    return Poll::Ready(Some(Ok(builder.build())));
                }
                Some(_given_back) => {}
                None => return Poll::Ready(None),
            }
        }
    }

    /// Flushes nothing, since the task that writes settlements outlives the worker.
    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for QueueBackend {
    type Args = Claimed;
    type Id = TaskId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = SettleLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> SettleLayer {
        self.layer.clone()
    }
}
