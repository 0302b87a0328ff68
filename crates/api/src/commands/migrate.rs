//! `api migrate`.

use std::process::ExitCode;

use anyhow::Context;
use domain::{MIGRATOR, schema};
use sqlx::{Connection, PgConnection, Row};

use crate::config::Config;

/// Applies what is due, on a connection of its own: it may take long, and takes an advisory lock that N replicas wait on in turn.
pub(super) async fn migrate(config: &Config, check: bool) -> anyhow::Result<ExitCode> {
    let direct = config.dependencies.connections().direct_database;
    let mut connection = PgConnection::connect_with(&direct).await.context("DATABASE_URL: Postgres does not answer")?;
    extensions_at_hand(&mut connection).await?;
    let due = schema::missing(&mut connection).await?;
    if check {
        let summary = if due == 0 {
            "the schema is current".to_owned()
        } else {
            format!("{due} migrations are due; run `api migrate`")
        };
        super::tell(&mut std::io::stdout(), &summary);
        return Ok(if due == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    MIGRATOR.run_direct(None, &mut connection, false).await.context("a migration failed, and was rolled back")?;
    super::tell(&mut std::io::stdout(), &format!("migrated: {due} applied, {} in all", MIGRATOR.iter().count()));
    Ok(ExitCode::SUCCESS)
}

/// A database without our extensions gets one sentence, not a migration's error.
async fn extensions_at_hand(connection: &mut PgConnection) -> anyhow::Result<()> {
    for extension in ["vector", "pg_trgm"] {
        let found: bool = sqlx::query("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)")
            .bind(extension)
            .fetch_one(&mut *connection)
            .await?
            .get(0);
        anyhow::ensure!(
            found,
            "this Postgres does not offer the extension \"{extension}\", which Holdfast needs; on Railway the pgvector template has it, \
             elsewhere install pgvector for this Postgres"
        );
    }
    Ok(())
}
