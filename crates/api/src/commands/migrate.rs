//! `api migrate`.

use std::process::ExitCode;

use anyhow::Context;
use kernel::{MIGRATOR, schema};
use sqlx::{Connection, PgConnection, Row};

use super::print::print;
use crate::config::Config;

/// Applies the migrations that are due, on a connection of its own: they may take long, and hold an
/// advisory lock that the replicas wait for in turn.
pub(super) async fn migrate(config: &Config, check: bool) -> anyhow::Result<ExitCode> {
    let direct = config.dependencies.connections().direct_database;
    let mut connection =
        PgConnection::connect_with(&direct).await.context("DATABASE_URL: Postgres does not answer")?;
    check_extensions(&mut connection).await?;
    let due = schema::missing(&mut connection).await?;
    if check {
        let summary = if due == 0 {
            "the schema is current".to_owned()
        } else {
            format!("{due} migrations are due; run `api migrate`")
        };
        print(&summary);
        return Ok(if due == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    MIGRATOR
        .run_direct(None, &mut connection, false)
        .await
        .context("a migration failed, and was rolled back")?;
    print(&format!("migrated: {due} applied, {} in all", MIGRATOR.iter().count()));
    Ok(ExitCode::SUCCESS)
}

/// Reports, in one sentence, a database without our extensions, or a role that may not create them.
async fn check_extensions(connection: &mut PgConnection) -> anyhow::Result<()> {
    for extension in ["vector", "pg_trgm"] {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1) AS offered, \
                    EXISTS (SELECT FROM pg_extension WHERE extname = $1) AS created, \
                    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \
                    OR COALESCE(( \
                        SELECT bool_or(trusted OR NOT superuser) FROM pg_available_extension_versions \
                        WHERE name = $1 \
                    ), false) AS may_create",
        )
        .bind(extension)
        .fetch_one(&mut *connection)
        .await?;
        let (offered, created, may_create): (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
        anyhow::ensure!(
            offered || created,
            "this Postgres does not offer the extension \"{extension}\", which Holdfast needs; on Railway \
            the pgvector template has it, elsewhere install pgvector for this Postgres"
        );
        anyhow::ensure!(
            created || may_create,
            "the extension \"{extension}\" is not there yet, and DATABASE_URL's role may not create it: let \
            a superuser of this database run CREATE EXTENSION {extension}, then run `api migrate` again"
        );
    }
    Ok(())
}
