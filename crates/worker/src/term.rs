//! One term: the worker at work, while it has the lease.

use std::{sync::Arc, time::Duration};

use apalis_core::monitor::{Monitor, MonitorError, context::MonitorContext};
use kernel::{
    ports::{Topic, Wake},
    queue::{Claim, Queue, Settlement},
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    backend::{self, Claimer, Claims, QueueBackend, SettleLayer, Settlements, renew},
    engine::Engine,
    gauges,
    run::{register, restart},
    scheduler,
    timing::Timing,
};

/// The number of claimed jobs that wait for each slot, so that no slot is idle while more are
/// claimed.
const READY: usize = 4;

/// The tasks of one worker while it has the lease.
pub(crate) struct Term {
    timing: Timing,
    claims: Arc<Claims>,
    settlements: Settlements,
    /// Ends the tasks that take on work: claiming, schedules, statistics.
    claiming: CancellationToken,
    claimers: TaskTracker,
    /// It is aborted once there is nothing left to renew.
    renewer: JoinHandle<()>,
    writer: JoinHandle<()>,
    monitor: MonitorContext,
    running: JoinHandle<Result<(), MonitorError>>,
}

impl Term {
    /// Starts the tasks under the lease of `epoch`.
    pub(crate) fn start(engine: &Engine, epoch: i64) -> Self {
        let ids = engine.context.core.ids.clone();
        let (db, timing) = (engine.queue_db.clone(), engine.timing);
        let claims = Arc::new(Claims::default());
        let (settlements, receiver) = backend::channel(claims.clone());
        let writer = tokio::spawn(backend::write(db.clone(), ids.clone(), claims.clone(), receiver));
        let renewer =
            tokio::spawn(renew(db.clone(), ids.clone(), timing, claims.clone(), settlements.clone()));

        let claiming = CancellationToken::new();
        let claimers = TaskTracker::new();
        let layer = SettleLayer {
            settlements: settlements.clone(),
            registry: engine.registry.clone(),
            ids: ids.clone(),
        };
        let mut monitor = Monitor::new().should_restart(restart);
        let mut subscribers = Vec::new();
        for queue in Queue::ALL {
            let concurrency = engine.concurrency.of(queue);
            let (jobs, receiver) = mpsc::channel(concurrency * READY);
            let notified = Arc::new(Notify::new());
            subscribers.push(notified.clone());
            let claimer = Claimer {
                db: db.clone(),
                ids: ids.clone(),
                epoch,
                queue,
                timing,
                registry: engine.registry.clone(),
                claims: claims.clone(),
                notified,
                jobs,
            };
            claimers.spawn(claimer.run(claiming.clone()));
            let backend = QueueBackend::new(receiver, claims.clone(), layer.clone());
            monitor = register(
                monitor,
                queue,
                concurrency,
                backend,
                engine.registry.clone(),
                engine.context.clone(),
            );
        }
        claimers.spawn(notify(engine.context.core.wake.clone(), subscribers, claiming.clone()));
        claimers.spawn(gauges::watch_queues(db.clone(), timing.stats, claiming.clone()));
        claimers.spawn(gauges::watch_vault(engine.context.clone(), timing.stats, claiming.clone()));
        let tasks = engine.tasks.clone();
        claimers.spawn(scheduler::run(db, epoch, timing, tasks, engine.context.clone(), claiming.clone()));
        claimers.close();

        let context = monitor.context();
        let running = tokio::spawn(monitor.run());
        Self { timing, claims, settlements, claiming, claimers, renewer, writer, monitor: context, running }
    }

    /// Stops claiming. Once this returns, no job is claimed and no task starts.
    pub(crate) async fn stop_claiming(&self) {
        self.claiming.cancel();
        self.claimers.wait().await;
    }

    /// Hands back the jobs that do not run yet, lets the others end, hands back those that do not
    /// end in time, and writes all settlements.
    pub(crate) async fn drain(self) {
        let Self { timing, claims, settlements, renewer, writer, monitor, mut running, .. } = self;
        hand_back(&settlements, claims.take_waiting()).await;
        let _ = monitor.shutdown();
        if tokio::time::timeout(timing.drain, &mut running).await.is_err() {
            tracing::warn!("some jobs did not end in {:?}: they are stopped and given back", timing.drain);
            running.abort();
            let _ = running.await;
        }
        hand_back(&settlements, claims.take_unsettled()).await;
        renewer.abort();
        let _ = renewer.await;
        drop(settlements);
        let abort = writer.abort_handle();
        if tokio::time::timeout(timing.flush, writer).await.is_err() {
            tracing::warn!("some jobs could not be settled in {:?}: they will run again", timing.flush);
            abort.abort();
        }
    }
}

/// Hands jobs back. This is bounded, since the writer may be waiting for a database that is away. A
/// job that is not handed back runs again when its claim ends.
async fn hand_back(settlements: &Settlements, claims: Vec<Claim>) {
    let all = async {
        for claim in claims {
            settlements.send(claim, Settlement::HandBack).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
}

/// Passes each hint to every queue.
async fn notify(wake: Arc<dyn Wake>, subscribers: Vec<Arc<Notify>>, stop: CancellationToken) {
    let hints = wake.subscribe(Topic::Jobs);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = hints.notified() => subscribers.iter().for_each(|subscriber| subscriber.notify_one()),
        }
    }
}
