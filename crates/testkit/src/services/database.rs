//! A database for one test.

use std::time::Duration;

use kernel::Db;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};

/// A migrated database that nobody else uses. Dropping drops it, with whatever is still connected
/// to it.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    server: String,
    name: String,
}

impl TestDatabase {
    pub(crate) fn new(url: String, server: String, name: String) -> Self {
        Self { url, server, name }
    }

    /// Its address, for `DATABASE_URL`. Connects as the owner, who passes row-level security.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A pool of connections to it.
    ///
    /// # Errors
    /// None in practice: the address is ours.
    pub fn db(&self, max_connections: u32) -> anyhow::Result<Db> {
        Ok(Db::lazy(self.url.parse::<PgConnectOptions>()?, max_connections))
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own, because the test's runtime ends with the test. When the process ends
    /// first, so does the server.
    fn drop(&mut self) {
        let (server, name) = (std::mem::take(&mut self.server), std::mem::take(&mut self.name));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let dropping = async {
                    let mut connection = PgConnection::connect(&server).await?;
                    connection
                        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
                        .await?;
                    connection.close().await
                };
                tokio::time::timeout(Duration::from_secs(10), dropping).await
            })??;
            anyhow::Ok(())
        });
    }
}
