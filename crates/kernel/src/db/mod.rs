//! The access to Postgres: every statement runs in a transaction that has a role and a tenant.

mod scope;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, Connection, PgPool, Postgres, SqlSafeStr, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use scope::DbScope;

use crate::error::{Code, Error, Result};

/// A transaction on behalf of a [`DbScope`].
pub type Tx = Transaction<'static, Postgres>;

/// Every migration, embedded in the binaries.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// The longest wait for a connection; after it the caller gets
/// [`Code::Unavailable`](crate::Code::Unavailable).
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// The time for which callers are refused at once after one has waited in vain.
const COOL_DOWN: Duration = Duration::from_millis(500);
/// The time for which an idle connection is trusted without a ping: a ping for each request would
/// cost a round trip each.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// The limit of each statement of a request; Postgres cancels it then.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;

/// The pool of connections. Cloning shares it.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
    outage: Arc<Outage>,
}

impl Db {
    /// Creates a pool of at most `max_connections` that connects when first used, so that a start
    /// never waits for Postgres.
    pub fn lazy(options: PgConnectOptions, max_connections: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(Duration::from_secs(300))
            .test_before_acquire(false)
            .before_acquire(|connection, seen| {
                Box::pin(async move {
                    if seen.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool, outage: Arc::new(Outage::new()) }
    }

    /// Begins a transaction in `scope`: role, tenant and `BEGIN` in one round trip.
    ///
    /// # Errors
    /// [`Code::Unavailable`](crate::Code::Unavailable) when Postgres is away; at once when it was
    /// found away moments ago.
    pub async fn begin(&self, scope: DbScope) -> Result<Tx> {
        self.outage.check()?;
        // Boxed: connecting takes 4 KiB of state, which every future that may begin a transaction
        // would otherwise carry.
        let begun = match tokio::time::timeout(ACQUIRE_TIMEOUT, Box::pin(self.begin_on_live(scope))).await {
            Ok(begun) => begun.map_err(Error::from),
            Err(elapsed) => Err(Error::unavailable(elapsed)),
        };
        match &begun {
            Err(error) if error.code() == Code::Unavailable => self.outage.begin(),
            _ => self.outage.end(),
        }
        begun
    }

    /// Begins on a connection that works. After a restart of Postgres the pool is full of
    /// connections that died while they idled. Each fails its `BEGIN`, before anything was done,
    /// and is dropped; then the next is tried, at most as often as the pool is large.
    async fn begin_on_live(&self, scope: DbScope) -> sqlx::Result<Tx> {
        let mut stale = self.pool.options().get_max_connections();
        loop {
            let connection = self.pool.acquire().await?;
            let begin = Transaction::begin(connection, Some(AssertSqlSafe(scope.begin()).into_sql_str()));
            match Finished(Some(begin)).await {
                Err(error) if stale > 0 && is_severed(&error) => stale -= 1,
                begun => return begun,
            }
        }
    }

    /// Returns the pool itself, for work that is not on behalf of a caller: migrations, health, the
    /// worker's lease.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Db({} of {} connections)", self.pool.size(), self.pool.options().get_max_connections())
    }
}

/// Returns true when the connection broke, or Postgres ended it (SQLSTATE class 57: a shutdown).
fn is_severed(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|state| state.starts_with("57P")),
        _ => false,
    }
}

/// A `BEGIN` that completes even when its caller is gone.
///
/// A client that hangs up or a timeout would otherwise leave the connection in the pool with an
/// open transaction, and the next caller would run in it, with the tenant of the one before. A
/// `BEGIN` that has completed is rolled back like any other transaction that is dropped.
struct Finished(Option<BoxFuture<'static, sqlx::Result<Tx>>>);

impl Future for Finished {
    type Output = sqlx::Result<Tx>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(begin) = self.0.as_mut() else { return Poll::Pending };
        let polled = begin.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        // Without a runtime there is nobody left who could use the connection.
        if let (Some(begin), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { drop(begin.await) });
        }
    }
}

/// Remembers that Postgres was found away, so that during an outage one caller at a time waits and
/// the others get an answer at once.
struct Outage {
    start: Instant,
    /// Milliseconds since `start` until which callers are refused; 0 when there is no outage.
    until: AtomicU64,
}

impl Outage {
    fn new() -> Self {
        Self { start: Instant::now(), until: AtomicU64::new(0) }
    }

    fn after(&self, wait: Duration) -> u64 {
        u64::try_from((self.start.elapsed() + wait).as_millis()).unwrap_or(u64::MAX)
    }

    /// Refuses during the cool-down; then lets one caller through, and refuses the others while it
    /// tries.
    fn check(&self) -> Result<()> {
        let until = self.until.load(Ordering::Acquire);
        if until == 0 {
            return Ok(());
        }
        let its_turn = self.after(Duration::ZERO) >= until
            && self
                .until
                .compare_exchange(until, self.after(ACQUIRE_TIMEOUT), Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
        if its_turn { Ok(()) } else { Err(Error::unavailable("Postgres was found away moments ago")) }
    }

    fn begin(&self) {
        self.until.store(self.after(COOL_DOWN), Ordering::Release);
    }

    fn end(&self) {
        if self.until.load(Ordering::Relaxed) != 0 {
            self.until.store(0, Ordering::Release);
        }
    }
}
