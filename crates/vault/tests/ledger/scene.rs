//! A project with a log, and replicas that append to it.

use std::time::Duration;

use kernel::{
    Core, Error,
    answer::Answer,
    caller::{Actor, Allows, Authorized, Principal, RequestContext, allow},
    ids::{ProjectId, UserId},
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use testkit::{TestDatabase, services};
use vault::{Appender, KekRing, NewSeals, SealedBatch, Vault, VaultKeyRing};

/// A project and its database.
pub struct Scene {
    pub by: Principal,
    /// A connection as the owner, for statements that the application may not make.
    pub pool: PgPool,
    pub core: Core,
    pub kek: KekRing,
    keys: VaultKeyRing,
    database: TestDatabase,
}

impl Scene {
    pub async fn new() -> Self {
        let database = services::shared().await.unwrap().postgres.database().await.unwrap();
        let core = testkit::test_core(database.db(8).unwrap());
        let project = testkit::project(&core, "ours").await.unwrap();
        let (keys, kek) = (VaultKeyRing::generate(&core.ids), KekRing::generate(&core.ids));
        let pool = database.db(4).unwrap().pool().clone();
        Self { by: Principal::system(project), pool, core, kek, keys, database }
    }

    /// Returns the vault of a replica that has these keys, and so many connections. All replicas
    /// encrypt stored responses under one key.
    pub fn replica(&self, keks: &KekRing, connections: u32) -> Vault {
        let core = Core { db: self.database.db(connections).unwrap(), ..self.core.clone() };
        Vault::new(core, &self.keys, keks, &"https://api.example.com".parse().unwrap())
    }

    /// Returns the vault of a replica with that core.
    pub fn vault_on(&self, core: Core) -> Vault {
        Vault::new(core, &self.keys, &self.kek, &"https://api.example.com".parse().unwrap())
    }

    /// Returns the URL of the database.
    pub fn url(&self) -> &str {
        self.database.url()
    }

    /// Returns the vault of a replica that has the first key.
    pub fn vault(&self) -> Vault {
        self.replica(&self.kek, 8)
    }

    pub fn project(&self) -> ProjectId {
        self.by.project
    }

    /// Returns Holdfast itself, with a permission.
    pub fn allowed<P: Allows>(&self) -> Authorized<P> {
        Authorized::check(self.by.clone()).unwrap()
    }

    /// Returns Holdfast itself, who appends by `request`.
    pub fn appends(&self, request: RequestContext) -> Authorized<allow::VaultWrite> {
        Authorized::check(Principal { request, ..self.by.clone() }).unwrap()
    }

    /// Returns a person who decides proposals.
    pub fn decides(&self, person: UserId) -> Authorized<allow::VaultDecide> {
        Authorized::check(Principal { actor: Actor::Person(person), ..self.by.clone() }).unwrap()
    }

    /// Appends each of these requests, all of them in one batch: they queue while another
    /// connection holds the log's lock.
    pub async fn together(
        &self,
        vault: &Vault,
        requests: Vec<(RequestContext, NewSeals)>,
    ) -> Vec<Result<Answer<SealedBatch>, Error>> {
        let held = self.lock().await;
        let appender = Appender::new(vault.clone());
        let mut tasks = Vec::new();
        for (request, seals) in requests {
            let (appender, by) = (appender.clone(), self.appends(request));
            tasks.push(tokio::spawn(async move { appender.append(&by, &seals).await }));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(held);
        let mut ended = Vec::new();
        for task in tasks {
            ended.push(task.await.unwrap());
        }
        ended
    }

    /// Holds the lock of the log, which has an entry, as another replica would, until it is
    /// dropped.
    pub async fn lock(&self) -> PgConnection {
        let mut holder = PgConnection::connect(self.database.url()).await.unwrap();
        let project = self.project().uuid();
        let lock = format!("BEGIN; SELECT FROM vault_logs WHERE project_id = '{project}' FOR UPDATE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut holder).await.unwrap();
        holder
    }

    /// Appends seals. Returns the size that the log has then.
    pub async fn append(&self, vault: &Vault, seals: impl IntoIterator<Item = Value>) -> u64 {
        let answer = Appender::new(vault.clone()).append(&self.allowed(), &request(seals)).await.unwrap();
        shown(&answer).size
    }
}

/// Returns a request that appends seals.
pub fn request(seals: impl IntoIterator<Item = Value>) -> NewSeals {
    let read = |seal: Value| serde_json::from_str(&seal.to_string()).unwrap();
    NewSeals { seals: seals.into_iter().map(read).collect(), expected_size: None }
}

/// Reads the body of an answer.
pub fn shown(answer: &Answer<SealedBatch>) -> SealedBatch {
    serde_json::from_slice(answer.body()).unwrap()
}
