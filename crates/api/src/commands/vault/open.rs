//! The vault, as commands use it.

use anyhow::Context;
use kernel::{Clock, Core, schema};
use vault::Vault;

use crate::config::Config;

/// Returns the vault of the configuration.
pub(super) fn open(config: &Config) -> Vault {
    let dependencies = &config.dependencies;
    let core = Core::new(dependencies.database(), Clock::system(), dependencies.secrets());
    config.vault.vault(core, &config.public_url(), &dependencies.vault_witnesses)
}

/// Requires the schema of this build: on an older one, logs would only seem to be missing.
pub(super) async fn require_schema(core: &Core) -> anyhow::Result<()> {
    let mut connection = core.db.pool().acquire().await.context("DATABASE_URL: Postgres does not answer")?;
    let due = schema::missing(&mut connection).await?;
    anyhow::ensure!(due == 0, "the database lacks {due} migrations; run `api migrate`");
    Ok(())
}
