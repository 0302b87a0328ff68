//! A database for one test.

use std::time::Duration;

use kernel::Db;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};

/// A migrated database that nobody else uses. Dropping the value drops the database and its
/// connections.
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

    /// Returns its URL, for `DATABASE_URL`. It connects as the owner, who bypasses row-level
    /// security.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a pool of connections to it.
    ///
    /// # Errors
    /// Never fails in practice, since the URL is ours.
    pub fn db(&self, max_connections: u32) -> anyhow::Result<Db> {
        Ok(Db::lazy(self.url.parse::<PgConnectOptions>()?, max_connections))
    }
}

impl Drop for TestDatabase {
    /// Drops the database on a thread of its own, because the test's runtime ends with the test. If
    /// the process ends first, so does the server.
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
