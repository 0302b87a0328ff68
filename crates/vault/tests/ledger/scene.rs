//! A project with a log, and replicas that append to it.

use std::time::Duration;

use kernel::{Core, Error, caller::Principal, ids::ProjectId};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use testkit::{TestDatabase, services};
use vault::{Appended, Appender, NewSeals, Vault, note::VaultKeys, personal::Keks};

/// A project and its database.
pub struct Scene {
    pub by: Principal,
    /// The owner's, for what the application may not do.
    pub pool: PgPool,
    pub core: Core,
    pub kek: Keks,
    keys: VaultKeys,
    database: TestDatabase,
}

impl Scene {
    pub async fn new() -> Self {
        let database = services::shared().await.unwrap().postgres.database().await.unwrap();
        let core = testkit::core(database.db(8).unwrap());
        let project = testkit::project(&core, "ours").await.unwrap();
        let (keys, kek) = (VaultKeys::generate(&core.ids), Keks::generate(&core.ids));
        let pool = database.db(4).unwrap().pool().clone();
        Self { by: Principal::system(project), pool, core, kek, keys, database }
    }

    /// The vault of a replica that has these keys, and so many connections.
    pub fn replica(&self, keks: &Keks, connections: u32) -> Vault {
        let core = testkit::core(self.database.db(connections).unwrap());
        Vault::new(core, self.keys.clone(), keks.clone(), &"https://api.example.com".parse().unwrap())
    }

    /// One that has the key that all begin with.
    pub fn vault(&self) -> Vault {
        self.replica(&self.kek, 8)
    }

    pub fn project(&self) -> ProjectId {
        self.by.project
    }

    /// Appends each of these requests, all of them in one batch: they come while another holds the log's lock.
    pub async fn together(&self, vault: &Vault, requests: Vec<NewSeals>) -> Vec<Result<Appended, Error>> {
        let held = self.lock().await;
        let appender = Appender::new(vault.clone());
        let mut tasks = Vec::new();
        for request in requests {
            let (appender, by) = (appender.clone(), self.by.clone());
            tasks.push(tokio::spawn(async move { appender.append(&by, &request, None, None).await }));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(held);
        let mut ended = Vec::new();
        for task in tasks {
            ended.push(task.await.unwrap());
        }
        ended
    }

    /// Holds the lock of the log, as another replica would, until it is dropped.
    pub async fn lock(&self) -> PgConnection {
        let mut holder = PgConnection::connect(self.database.url()).await.unwrap();
        let lock = format!("BEGIN; SELECT FROM vault_logs WHERE project_id = '{}' FOR UPDATE", self.project().uuid());
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut holder).await.unwrap();
        holder
    }

    pub async fn append(&self, vault: &Vault, seals: impl IntoIterator<Item = Value>) -> u64 {
        Appender::new(vault.clone()).append(&self.by, &request(seals), None, None).await.unwrap().size
    }
}

/// What one request wants appended.
pub fn request(seals: impl IntoIterator<Item = Value>) -> NewSeals {
    let read = |seal: Value| serde_json::from_str(&seal.to_string()).unwrap();
    NewSeals { seals: seals.into_iter().map(read).collect(), expected_size: None }
}
