//! No data route before the database has the schema that this build needs: its SQL would fail in ways that say nothing.

use std::sync::OnceLock;

use adapters::health::{Health, Status};
use kernel::{Code, Error, Result};

/// Whether the schema was ever seen to be current. It then stays so: migrations only go forward, and old builds run on newer schemas.
#[derive(Default)]
pub(super) struct Schema(OnceLock<()>);

impl Schema {
    /// Refuses at once what is under the version prefixes, until Postgres was reached and had every migration of this build.
    ///
    /// # Errors
    /// [`Code::Unavailable`].
    pub(super) async fn admits(&self, path: &str, health: &Health) -> Result<()> {
        let holds_data = path.starts_with("/v1/") || path.starts_with("/api/v1/");
        if holds_data && self.0.get().is_none() {
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
        Status::Ok => Error::new(
            Code::Unavailable,
            "The database's schema is older than this build; an operator must run `api migrate`",
        )
        .retry_after(std::time::Duration::from_secs(5)),
        Status::Error | Status::Disabled => Error::unavailable("Postgres was not reached since the start"),
    }
}
