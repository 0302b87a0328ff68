//! A project with a caller, and records of the hints and forgotten credentials.

use std::sync::{Arc, Mutex};

use kernel::{
    Core,
    caller::{Actor, Authorized, IdempotencyKey, Principal, RequestContext, allow},
    crypto::PublicKey,
    ids::ProjectId,
    ports::{Credential, CredentialCache, Topic, Wake},
    signature::{Headers, Origin, Proof, RequestParts, Signature},
};
use reqwest::{Method, Url, header::HeaderMap};
use serde::{Deserialize, Serialize};
use testkit::{Identity, Signing, TestDatabase, services};
use tokio::sync::Notify;

/// Something that a use case makes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Thing {
    pub name: String,
}

impl kernel::answer::Resource for Thing {}

/// A job that nobody runs here.
#[derive(Debug, Serialize, Deserialize)]
pub struct Work;

impl kernel::queue::Job for Work {
    const KIND: &'static str = "test.work";
}

/// Records of the hints and of the forgotten credentials.
#[derive(Debug, Default)]
pub struct Told {
    pub topics: Mutex<Vec<Topic>>,
    pub credentials: Mutex<Vec<Credential>>,
}

impl Wake for Told {
    fn notify(&self, topic: Topic) {
        self.topics.lock().unwrap().push(topic);
    }

    fn subscribe(&self, _: Topic) -> Arc<Notify> {
        Arc::default()
    }
}

impl CredentialCache for Told {
    fn forget(&self, credential: &Credential) {
        self.credentials.lock().unwrap().push(credential.clone());
    }
}

pub struct Scene {
    pub core: Core,
    pub told: Arc<Told>,
    pub project: ProjectId,
    agent: Identity,
    _database: TestDatabase,
}

impl Scene {
    pub async fn new() -> Self {
        let database = services::shared().await.unwrap().postgres.database().await.unwrap();
        let told = Arc::new(Told::default());
        let core = testkit::test_core(database.db(4).unwrap());
        let core = core.with_wake(Arc::<Told>::clone(&told)).with_credentials(Arc::<Told>::clone(&told));
        let project = testkit::project(&core, "test").await.unwrap();
        Self { core, told, project, agent: Identity::generate(), _database: database }
    }

    /// Returns a caller of the project, with that request.
    pub fn asks(&self, request: RequestContext) -> Authorized<allow::VaultWrite> {
        let by = Principal { actor: Actor::Anonymous, request, ..Principal::system(self.project) };
        Authorized::check(by).unwrap()
    }

    /// Returns a request with an `Idempotency-Key`, which asks for `body`.
    pub fn keyed(&self, key: &str, body: &str) -> RequestContext {
        let key = IdempotencyKey::new(key, &[body.as_bytes()]);
        RequestContext { idempotency_key: Some(key), ..RequestContext::default() }
    }

    /// Returns a request that the agent signed just now.
    pub fn signed(&self) -> RequestContext {
        RequestContext { proof: Some(Arc::new(self.proof())), ..RequestContext::default() }
    }

    fn proof(&self) -> Proof {
        let url: Url = "http://127.0.0.1/v1/things".parse().unwrap();
        let mut signing = Signing::by(&self.agent, &self.core.clock);
        signing.components.retain(|component| component != "content-digest");
        let (input, signature) = signing.sign(&Method::POST, &url, &HeaderMap::new()).unwrap();
        let headers = Sent(vec![("signature-input", input), ("signature", signature)]);
        let origin = Origin::of(&url);
        let parts = RequestParts {
            origin: &origin,
            method: "POST",
            path: "/v1/things",
            query: None,
            headers: &headers,
            has_body: false,
        };
        let key: PublicKey = self.agent.public_key().parse().unwrap();
        Signature::parse(&parts).unwrap().verify(&parts, &key).unwrap()
    }

    /// Returns the number of rows in a table.
    pub async fn count(&self, table: &'static str) -> i64 {
        let sql = match table {
            "audit_events" => "SELECT count(*) FROM audit_events",
            "jobs" => "SELECT count(*) FROM jobs",
            "signature_nonces" => "SELECT count(*) FROM signature_nonces",
            "idempotent_requests" => "SELECT count(*) FROM idempotent_requests",
            other => panic!("no statement counts {other}"),
        };
        sqlx::query_scalar(sql).fetch_one(self.core.db.pool()).await.unwrap()
    }
}

struct Sent(Vec<(&'static str, String)>);

impl Headers for Sent {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        self.0.iter().filter(|(sent, _)| *sent == name).map(|(_, value)| value.as_bytes()).collect()
    }
}
