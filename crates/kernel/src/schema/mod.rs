//! The check that a database has the schema which this build needs.

mod store;

use sqlx::{PgConnection, migrate::Migration};

use crate::MIGRATOR;

/// Returns the number of this build's migrations that the database has not applied as they are. A
/// newer schema lacks none: migrations only expand what a running release uses.
pub async fn missing(connection: &mut PgConnection) -> sqlx::Result<usize> {
    let applied = store::applied(connection).await?;
    let is_applied = |migration: &Migration| {
        applied.get(&migration.version).is_some_and(|checksum| checksum[..] == migration.checksum[..])
    };
    let ours = MIGRATOR.iter().filter(|migration| migration.migration_type.is_up_migration());
    Ok(ours.filter(|migration| !is_applied(migration)).count())
}
