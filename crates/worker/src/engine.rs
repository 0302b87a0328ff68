//! The worker's life: wait for the schema, stand by, work while it has the lease, drain, and again.

use std::{sync::Arc, time::Duration};

use apalis_core::monitor::{Monitor, MonitorError, context::MonitorContext};
use kernel::{
    Db,
    ports::{Topic, Wake},
    queue::{Queue, Settlement},
};
use tokio::{sync::Notify, sync::mpsc, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    backend::{
        QueueBackend,
        claim::Claimer,
        claims::Claims,
        renew::renew,
        settle::{self, SettleLayer, Settlements},
    },
    context::Context,
    lease::{Candidate, End},
    metrics,
    registry::Registry,
    run,
    schedule::{self, Periodic},
    schema,
    state::{Phase, State},
    timing::Timing,
};

/// Everything a worker is made of.
#[derive(Debug)]
pub struct Engine {
    /// What jobs and tasks are handed.
    pub context: Context,
    /// Connections for the queue's own statements, apart from those of the jobs: these must not be able to starve a renewal.
    pub queue_db: Db,
    /// Which jobs it can run.
    pub registry: Arc<Registry>,
    /// Which tasks it runs periodically.
    pub schedule: Vec<Periodic>,
    /// How many jobs run at a time.
    pub concurrency: Concurrency,
    /// Its intervals.
    pub timing: Timing,
    /// What it is doing.
    pub state: State,
}

/// How many jobs of each queue run at a time.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    /// Of [`Queue::Default`].
    pub default: usize,
    /// Of [`Queue::Effects`].
    pub effects: usize,
}

impl Concurrency {
    fn of(self, queue: Queue) -> usize {
        let slots = match queue {
            Queue::Default => self.default,
            Queue::Effects => self.effects,
        };
        slots.max(1)
    }
}

impl Engine {
    /// Works until `stop`, then lets running jobs end, and returns: after `timing.drain` and `timing.flush` at the latest, and the nine
    /// seconds that a Postgres which does not answer is given. Nothing that happens to Postgres ends it.
    pub async fn run(self, stop: CancellationToken) {
        let ids = self.context.core.ids.clone();
        if !schema::wait(&self.queue_db, &ids, &self.state, &stop).await {
            return;
        }
        let holder = format!("worker-{:016x}", u64::from_le_bytes(ids.bytes()));
        let (db, timing, state) = (self.queue_db.clone(), self.timing, self.state.clone());
        let candidate = Candidate { db, ids, timing, holder, state };
        while let Some(lease) = candidate.wait(&stop).await {
            let term = Term::start(&self, lease.epoch);
            let end = lease.keep(&stop).await;
            self.state.enter(Phase::Draining);
            term.stop_claiming().await;
            if end == End::Stopping {
                // The next worker need not wait for our running jobs: those are fenced by their own claims.
                lease.release().await;
            }
            term.drain().await;
        }
        self.state.enter(Phase::Draining);
    }
}

/// How many claimed jobs wait for each slot: enough that none is idle while the next are claimed.
const READY: usize = 4;

/// The tasks of one worker while it has the lease.
struct Term {
    timing: Timing,
    claims: Arc<Claims>,
    settlements: Settlements,
    /// Ends what takes on work: claiming, schedules, statistics.
    claiming: CancellationToken,
    claimers: TaskTracker,
    /// Aborted once there is nothing left to renew.
    renewer: JoinHandle<()>,
    writer: JoinHandle<()>,
    monitor: MonitorContext,
    running: JoinHandle<Result<(), MonitorError>>,
}

impl Term {
    fn start(engine: &Engine, epoch: i64) -> Self {
        let ids = engine.context.core.ids.clone();
        let (db, timing) = (engine.queue_db.clone(), engine.timing);
        let claims = Arc::new(Claims::default());
        let (settlements, receiver) = settle::channel(claims.clone());
        let writer = tokio::spawn(settle::write(db.clone(), ids.clone(), claims.clone(), receiver));
        let renewer = tokio::spawn(renew(db.clone(), ids.clone(), timing, claims.clone(), settlements.clone()));

        let claiming = CancellationToken::new();
        let claimers = TaskTracker::new();
        let layer =
            SettleLayer { settlements: settlements.clone(), registry: engine.registry.clone(), ids: ids.clone() };
        let mut monitor = Monitor::new().should_restart(run::restart);
        let mut bells = Vec::new();
        for queue in Queue::ALL {
            let concurrency = engine.concurrency.of(queue);
            let (jobs, receiver) = mpsc::channel(concurrency * READY);
            let bell = Arc::new(Notify::new());
            bells.push(bell.clone());
            let claimer = Claimer {
                db: db.clone(),
                ids: ids.clone(),
                epoch,
                queue,
                timing,
                registry: engine.registry.clone(),
                claims: claims.clone(),
                bell,
                jobs,
            };
            claimers.spawn(claimer.run(claiming.clone()));
            let backend = QueueBackend::new(receiver, claims.clone(), layer.clone());
            monitor =
                run::register(monitor, queue, concurrency, backend, engine.registry.clone(), engine.context.clone());
        }
        claimers.spawn(ring(engine.context.core.wake.clone(), bells, claiming.clone()));
        claimers.spawn(metrics::watch_queues(db.clone(), timing.stats, claiming.clone()));
        claimers.spawn(metrics::watch_vault(engine.context.clone(), timing.stats, claiming.clone()));
        let tasks = engine.schedule.clone();
        claimers.spawn(schedule::run(db, epoch, timing, tasks, engine.context.clone(), claiming.clone()));
        claimers.close();

        let context = monitor.context();
        let running = tokio::spawn(monitor.run());
        Self { timing, claims, settlements, claiming, claimers, renewer, writer, monitor: context, running }
    }

    /// No job is claimed and no task starts once this returns.
    async fn stop_claiming(&self) {
        self.claiming.cancel();
        self.claimers.wait().await;
    }

    /// Gives the jobs back that do not run, lets the others end, gives those back that do not, and writes all of it down.
    async fn drain(self) {
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

/// Bounded, since the writer may be waiting for a database that is away; what is not given back runs again when its claim ends.
async fn hand_back(settlements: &Settlements, claims: Vec<kernel::queue::Claim>) {
    let all = async {
        for claim in claims {
            settlements.send(claim, Settlement::HandBack).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
}

/// Passes each hint on to every queue: the bell wakes one waiter.
async fn ring(wake: Arc<dyn Wake>, bells: Vec<Arc<Notify>>, stop: CancellationToken) {
    let hints = wake.bell(Topic::Jobs);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = hints.notified() => bells.iter().for_each(|bell| bell.notify_one()),
        }
    }
}
