//! Serves no route that needs the schema before the database has that of this build, since its SQL
//! would fail with errors that explain nothing.

use std::{sync::OnceLock, time::Duration};

use adapters::health::{Health, Status};
use kernel::{Code, Error, Result};

/// Set once the schema was seen to be current. It then stays so: migrations only go forward, and
/// old builds run on newer schemas.
#[derive(Default)]
pub(super) struct SchemaGate(OnceLock<()>);

impl SchemaGate {
    /// Refuses at once until Postgres was reached and had every migration of this build.
    ///
    /// # Errors
    /// [`Code::Unavailable`].
    pub(super) async fn check(&self, health: &Health) -> Result<()> {
        if self.0.get().is_none() {
            let snapshot = health.snapshot().await;
            if !snapshot.schema_current {
                return Err(not_yet(snapshot.database.status));
            }
            let _ = self.0.set(());
        }
        Ok(())
    }
}

fn not_yet(database: Status) -> Error {
    match database {
        Status::Ok => {
            let detail = "The database's schema is older than this build; an operator must run `api migrate`";
            Error::new(Code::Unavailable, detail).retry_after(Duration::from_secs(5))
        }
        Status::Error | Status::Disabled => Error::unavailable("Postgres was not reached since the start"),
    }
}
