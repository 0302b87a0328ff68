//! Probes Postgres on a connection of its own: a pool that is merely busy is not an outage.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kernel::schema;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;

use crate::guard::{Driver, Failure};

/// Probes Postgres, and checks that its schema is the one this build was made for.
pub(crate) struct Postgres {
    options: PgConnectOptions,
    /// Only a connection that has just worked is put back, so one left in the middle of an exchange
    /// is never used again.
    connection: Mutex<Option<PgConnection>>,
    schema_current: Arc<AtomicBool>,
}

impl Postgres {
    /// Creates a probe. It sets `schema_current` once every migration has been seen applied, and
    /// never clears it, since migrations only go forward.
    pub(crate) fn new(options: PgConnectOptions, schema_current: Arc<AtomicBool>) -> Self {
        Self {
            options: options.application_name("holdfast-health"),
            connection: Mutex::new(None),
            schema_current,
        }
    }
}

impl Driver for Postgres {
    const NAME: &'static str = "database";
    /// Readiness waits for Postgres, so it is probed more often than an accelerator.
    const LONGEST_WINDOW: Duration = Duration::from_secs(1);

    async fn probe(&self) -> Result<(), Failure> {
        let mut slot = self.connection.lock().await;
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        connection.ping().await?;
        if !self.schema_current.load(Ordering::Acquire) && schema::missing(&mut connection).await? == 0 {
            self.schema_current.store(true, Ordering::Release);
        }
        *slot = Some(connection);
        Ok(())
    }
}
