//! Brings up whatever is configured, without waiting for any of it.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use kernel::{Clock, Db, Ids};
use sqlx::postgres::PgConnectOptions;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;

use crate::{
    Health, RateLimiter, RedisDbs, WakeHub,
    guard::{Driver, Guarded},
    listen,
    nats::{self, Nats},
    postgres::Postgres,
    qdrant::Qdrant,
    redis::Redis,
    wake::relay::Relay,
};

/// The limit of [`Adapters::close`], which waits for the last hints to go out.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// The addresses of everything. No `Debug`: it holds passwords.
#[derive(Clone)]
pub struct Settings {
    /// Postgres without PgBouncer between, for `LISTEN`.
    pub direct_database: PgConnectOptions,
    /// Redis, if any.
    pub redis_url: Option<Url>,
    /// The logical database of Redis for each use.
    pub redis_dbs: RedisDbs,
    /// NATS, if any.
    pub nats_url: Option<Url>,
    /// Qdrant's gRPC address, if any.
    pub qdrant_url: Option<Url>,
    /// Qdrant's API key, if it wants one.
    pub qdrant_api_key: Option<String>,
}

/// The services that a process has beside its database. Dropping it ends its tasks;
/// [`close`](Self::close) lets them finish.
#[derive(Debug)]
pub struct Adapters {
    /// Hints to sleepers in every process.
    pub wake: Arc<WakeHub>,
    /// Requests counted for each caller.
    pub rate: RateLimiter,
    /// The state of everything.
    pub health: Health,
    stop: DropGuard,
    tasks: TaskTracker,
}

/// Starts the tasks that keep the connections, and returns at once: what is away now is used when
/// it appears. Call it inside a Tokio runtime.
pub fn connect(settings: Settings, db: Db, clock: Clock) -> Adapters {
    // Redis, NATS and Qdrant over TLS need a provider. If another part of the process has installed
    // one already, it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let schema_current = Arc::new(AtomicBool::new(false));

    let probed = Postgres::new(db.pool().connect_options().as_ref().clone(), Arc::clone(&schema_current));
    let database = guard(Some(probed), &tasks, &stop);
    let redis = guard(settings.redis_url.map(|url| Redis::new(&url, &settings.redis_dbs)), &tasks, &stop);
    let nats = guard(settings.nats_url.map(Nats::new), &tasks, &stop);
    let api_key = settings.qdrant_api_key;
    let qdrant = guard(settings.qdrant_url.map(|url| Qdrant::new(&url, api_key)), &tasks, &stop);

    let (hub, queue) = WakeHub::new(origin(clock));
    let relay = Relay { hub: hub.clone(), queue, nats: nats.clone(), db };
    tasks.spawn(relay.run(stop.clone()));
    tasks.spawn(nats::listen(nats.clone(), hub.clone(), stop.clone()));
    tasks.spawn(listen::listen(settings.direct_database, hub.clone(), stop.clone()));
    tasks.close();

    Adapters {
        wake: Arc::new(hub),
        rate: RateLimiter::new(Arc::new(redis.clone())),
        health: Health { database, redis, nats, qdrant, schema_current },
        stop: stop.drop_guard(),
        tasks,
    }
}

fn guard<D: Driver>(driver: Option<D>, tasks: &TaskTracker, stop: &CancellationToken) -> Guarded<D> {
    let guarded = Guarded::new(driver);
    tasks.spawn(guarded.clone().keep(stop.clone()));
    guarded
}

/// Names this process among those that share its NATS and Postgres.
fn origin(clock: Clock) -> String {
    Ids::new(clock).bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Adapters {
    /// Sends the last hints and ends the tasks.
    pub async fn close(self) {
        self.stop.disarm().cancel();
        let _ = tokio::time::timeout(CLOSE_LIMIT, self.tasks.wait()).await;
    }
}
