//! Connections to one logical database of Redis.

use std::time::Duration;

use deadpool_redis::{
    Connection, Manager, PoolError, Runtime, TimeoutType, Timeouts,
    redis::{AsyncConnectionConfig, IntoConnectionInfo, RedisResult},
};
use url::Url;

use crate::guard::Failure;

/// The most connections: one for the batch under way, one for the probe beside it.
pub(super) const CONNECTIONS: usize = 2;

/// The limit of a call to Redis: the guard's, and the pool's for waiting and recycling.
pub(super) const CALL_LIMIT: Duration = Duration::from_millis(250);
/// The limit of a probe, which often has to connect first: the guard's, and the pool's for
/// connecting.
pub(super) const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// The guard ends every wait of a caller. These end what a batch waits for after its callers have
/// left.
const TIMEOUTS: Timeouts =
    Timeouts { wait: Some(CALL_LIMIT), create: Some(PROBE_LIMIT), recycle: Some(CALL_LIMIT) };

/// A pool of connections to one logical database. Cloning shares it.
#[derive(Clone)]
pub(super) struct Pool(Result<deadpool_redis::Pool, Failure>);

impl Pool {
    /// Creates a pool, without a connection yet. With a `url` that Redis' client cannot use, every
    /// checkout fails.
    pub(super) fn new(url: &Url, number: u16) -> Self {
        Self(manager(url, number).map_err(Failure::from).and_then(|manager| {
            let pool = deadpool_redis::Pool::builder(manager).max_size(CONNECTIONS).timeouts(TIMEOUTS);
            pool.runtime(Runtime::Tokio1).build().map_err(Failure::from)
        }))
    }

    /// Checks a connection out: one that has just answered, or a new one.
    pub(super) async fn get(&self) -> Result<Connection, Failure> {
        self.0.as_ref().map_err(Clone::clone)?.get().await.map_err(failure)
    }

    /// Closes the connections that are not checked out.
    pub(super) fn clear(&self) {
        if let Ok(pool) = &self.0 {
            pool.retain(|_, _| false);
        }
    }
}

fn manager(url: &Url, number: u16) -> RedisResult<Manager> {
    let server = url.as_str().into_connection_info()?;
    let settings = server.redis_settings().clone().set_db(i64::from(number));
    // Without timeouts of its own: those of the pool and the guard end every wait.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    Manager::new_with_config(server.set_redis_settings(settings), config)
}

fn failure(error: PoolError) -> Failure {
    match error {
        PoolError::Timeout(TimeoutType::Wait | TimeoutType::Recycle) => Failure::TimedOut(CALL_LIMIT),
        PoolError::Timeout(TimeoutType::Create) => Failure::TimedOut(PROBE_LIMIT),
        PoolError::Backend(error) => error.into(),
        other => other.into(),
    }
}
