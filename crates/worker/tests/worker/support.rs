//! A database of its own, workers that can be killed, and jobs that record their runs.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use adapters::{
    Adapters, RedisDbs, Settings,
    webhook::{WebhookKey, Webhooks},
};
use futures::future::BoxFuture;
use kernel::{
    Clock, Core, Db, DbScope,
    caller::Caller,
    queue::{Job, Outcome},
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use testkit::{TestDatabase, services::Postgres, test_core};
use tokio::{runtime::Runtime, sync::Notify};
use tokio_util::sync::CancellationToken;
use vault::{KekRing, Vault, VaultKeyRing};
use worker::{
    context::{Attempt, Context},
    engine::{Concurrency, Engine},
    periodic::Periodic,
    registry::{BoxError, JobResult, Registry},
    state::{Phase, State},
    timing::Timing,
};

/// The behavior of a job in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Act {
    Succeed,
    Fail,
    Panic,
    /// Never ends by itself.
    Hang,
    /// Ends when the scene's gate opens.
    WaitForGate,
    /// Asks to run again in an hour.
    Snooze,
}

macro_rules! probes {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($item:tt)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Serialize, Deserialize)]
            pub(crate) struct $name {
                pub(crate) name: String,
                pub(crate) act: Act,
            }

            impl $name {
                pub(crate) fn new(name: impl ToString, act: Act) -> Self {
                    Self { name: name.to_string(), act }
                }
            }

            impl Job for $name {
                const KIND: &'static str = $kind;
                $($item)*
            }
        )*
    };
}

probes! {
    /// Runs as often as jobs do by default.
    Probe = "test.probe" {}
    /// May fail twice before it is dead.
    Mortal = "test.mortal" {
        const MAX_ATTEMPTS: u16 = 2;
        fn backoff(_: u16) -> Duration { Duration::from_millis(10) }
    }
    /// May take a tenth of a second.
    Hasty = "test.hasty" { const TIMEOUT: Duration = Duration::from_millis(100); }
    /// Waits an hour longer after each failure.
    Patient = "test.patient" {
        fn backoff(failed: u16) -> Duration { Duration::from_secs(3600) * u32::from(failed) }
    }
    /// A kind that no worker knows.
    Foreign = "test.foreign" {}
}

/// A run that started: the job's name and its attempt.
pub(crate) type Seen = (String, Attempt);

/// One database, and the runs of the jobs in it.
pub(crate) struct Scene {
    pub(crate) core: Core,
    pub(crate) pool: PgPool,
    seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) finished: Arc<AtomicUsize>,
    pub(crate) gate: Arc<Notify>,
    _adapters: Adapters,
    database: TestDatabase,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let shared = testkit::services::shared().await.expect("the services run");
        Self::on(&shared.postgres).await
    }

    /// Creates a scene on a Postgres of the test's own, which the test may stop or break.
    pub(crate) async fn on(postgres: &Postgres) -> Self {
        let database = postgres.database().await.expect("a database");
        let db = database.db(5).expect("a URL");
        let adapters = adapters(database.url(), &db);
        let secrets = test_core(db.clone()).secrets;
        let core = Core::new(db, Clock::system(), secrets).with_wake(adapters.wake.clone());
        let pool = PgPool::connect_lazy(database.url()).expect("a URL");
        Self {
            core,
            pool,
            seen: Arc::default(),
            finished: Arc::default(),
            gate: Arc::default(),
            _adapters: adapters,
            database,
        }
    }

    /// Enqueues jobs that are due, without a hint.
    pub(crate) async fn enqueue<J: Job>(&self, jobs: &[J]) {
        let silent = test_core(self.core.db.clone());
        let enqueued = silent.write(Caller::system(DbScope::Worker), async |unit| {
            jobs.iter().try_for_each(|job| unit.enqueue(job))
        });
        enqueued.await.expect("a commit");
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    pub(crate) fn runs_of(&self, name: &str) -> usize {
        self.seen().iter().filter(|(seen, _)| seen == name).count()
    }

    pub(crate) async fn jobs(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM jobs").fetch_one(&self.pool).await.expect("a count")
    }

    /// Returns the only job there is.
    pub(crate) async fn only_job(&self) -> Row {
        sqlx::query_as(
            "SELECT attempts, lease, dead_at IS NOT NULL AS dead, last_error, \
             extract(epoch FROM run_at - now())::float8 AS due_in FROM jobs",
        )
        .fetch_one(&self.pool)
        .await
        .expect("one job")
    }

    pub(crate) async fn make_due(&self) {
        sqlx::query("UPDATE jobs SET run_at = now()").execute(&self.pool).await.expect("an update");
    }

    pub(crate) fn worker(&self) -> Worker {
        self.worker_with(quick(), Vec::new())
    }

    /// Starts a worker on a runtime of its own, so that it can be killed.
    pub(crate) fn worker_with(&self, timing: Timing, tasks: Vec<Periodic>) -> Worker {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (state, stop) = (State::new(), CancellationToken::new());
        // Pools belong to the runtime that they were made on.
        let _guard = runtime.enter();
        let db = self.database.db(8).expect("a URL");
        let adapters = adapters(self.database.url(), &db);
        let core = Core { db, wake: adapters.wake.clone(), ..self.core.clone() };
        let push = Webhooks::new(WebhookKey::generate(&core.ids), true).expect("a client");
        let app_url = "http://localhost:3000".parse().unwrap();
        let dead_job_retention = Duration::from_secs(3600);
        let (signing, keks) = (VaultKeyRing::generate(&core.ids), KekRing::generate(&core.ids));
        let vault = Vault::new(core.clone(), &signing, &keks, &"http://127.0.0.1:8080".parse().unwrap());
        let context = Context {
            core,
            vault,
            witnesses: Vec::new(),
            push: Arc::new(push),
            mailer: None,
            app_url,
            dead_job_retention,
        };
        let engine = Engine {
            context,
            queue_db: self.database.db(4).expect("a URL"),
            registry: Arc::new(self.registry()),
            tasks,
            concurrency: Concurrency { default: 4, effects: 2 },
            timing,
            state: state.clone(),
        };
        let run = runtime.spawn(engine.run(stop.clone()));
        Worker { runtime: Some(runtime), run: Some(run), _adapters: adapters, state, stop }
    }

    fn registry(&self) -> Registry {
        Registry::default()
            .on(self.handler(|job: &Probe| (job.name.clone(), job.act)))
            .on(self.handler(|job: &Mortal| (job.name.clone(), job.act)))
            .on(self.handler(|job: &Hasty| (job.name.clone(), job.act)))
            .on(self.handler(|job: &Patient| (job.name.clone(), job.act)))
    }

    fn handler<J: Job>(
        &self,
        what: fn(&J) -> (String, Act),
    ) -> impl Fn(Context, J, Attempt) -> BoxFuture<'static, JobResult> + Send + Sync + 'static {
        let (seen, finished, gate) = (self.seen.clone(), self.finished.clone(), self.gate.clone());
        move |_, job, attempt| {
            let (name, act) = what(&job);
            let (seen, finished, gate) = (seen.clone(), finished.clone(), gate.clone());
            Box::pin(async move {
                seen.lock().expect("no panic").push((name.clone(), attempt));
                match act {
                    Act::Succeed => {}
                    Act::Fail => return Err(BoxError::from(format!("{name} failed as told"))),
                    Act::Panic => panic!("{name} panicked as told"),
                    Act::Hang => std::future::pending().await,
                    Act::WaitForGate => gate.notified().await,
                    Act::Snooze => return Ok(Outcome::Snooze(Duration::from_secs(3600))),
                }
                finished.fetch_add(1, Ordering::SeqCst);
                Ok(Outcome::Done)
            })
        }
    }
}

/// The part of a job's row that tests read.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) attempts: i16,
    pub(crate) lease: i32,
    pub(crate) dead: bool,
    pub(crate) last_error: Option<String>,
    pub(crate) due_in: f64,
}

impl Row {
    pub(crate) fn error(&self) -> &str {
        self.last_error.as_deref().unwrap_or_default()
    }
}

/// A running worker.
pub(crate) struct Worker {
    runtime: Option<Runtime>,
    run: Option<tokio::task::JoinHandle<()>>,
    _adapters: Adapters,
    pub(crate) state: State,
    pub(crate) stop: CancellationToken,
}

impl Worker {
    pub(crate) async fn working(self) -> Self {
        within("the worker has the lease", self.state.reached(Phase::Working)).await;
        self
    }

    pub(crate) async fn standing_by(self) -> Self {
        within("the worker stands by", self.state.reached(Phase::StandingBy)).await;
        self
    }

    /// Ends the worker as SIGKILL does: its tasks stop at once, and nothing is settled, released or
    /// closed.
    pub(crate) fn kill(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Ends the worker as SIGTERM does.
    pub(crate) async fn terminate(mut self) {
        self.stop.cancel();
        let run = self.run.take().expect("it runs");
        within("the worker ends", run).await.expect("it does not panic");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Returns intervals for tests that wait for something to end by itself.
pub(crate) fn quick() -> Timing {
    Timing {
        lease: Duration::from_millis(1500),
        lease_renewal: Duration::from_millis(300),
        standby: Duration::from_millis(100),
        claim: Duration::from_millis(1500),
        claim_renewal: Duration::from_millis(300),
        poll: Duration::from_millis(50),
        schedule: Duration::from_millis(50),
        drain: Duration::from_millis(500),
        ..Timing::default()
    }
}

/// Waits for `condition`; fails the test when it does not come true.
pub(crate) async fn eventually<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    within(what, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Bounds the wait of a test, far above the usual time.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .unwrap_or_else(|_| panic!("it did not happen: {what}"))
}

/// Returns the adapters of a process that has nothing but Postgres. Runs inside a runtime.
fn adapters(url: &str, db: &Db) -> Adapters {
    let settings = Settings {
        direct_database: url.parse().expect("a URL"),
        redis_url: None,
        redis_dbs: RedisDbs::default(),
        nats_url: None,
        qdrant_url: None,
        qdrant_api_key: None,
    };
    adapters::connect(settings, db.clone(), Clock::system())
}
