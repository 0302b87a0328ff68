//! The data that the operations run on: two tenants that know nothing of each other, and something
//! of every kind.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use adapters::witness::Witnesses;
use dev::{AppOptions, TestApp, app::register};
use domain::identity::sessions::RefreshToken;
use kernel::{
    caller::Role,
    ids::{
        ApiKeyId, CeremonyId, DeliveryId, IntentId, InvitationId, LogId, OrganizationId, PasskeyId,
        ProjectId, SessionId, UserId,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Identity, Witness, client::Request};

use super::operation::Operation;
use crate::people::{Company, Human};

const PASSWORD: &str = "correct horse battery";
/// The hash of the password, by one pass over 8 MiB.
pub const HASH: &str =
    "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Qd/uPU2dNuqz/ljLQKUryhqKULDfO/egRNHbpCY1GDk";

pub struct World {
    pub company: Company,
    pub us: Tenant,
    pub them: Tenant,
    made: AtomicU32,
    _witness: Witness,
}

/// Lets the witness cosign everything that was sealed.
async fn cosigned(app: &TestApp, witness: &Witness) {
    let vault = app.vault().unwrap();
    witness.trust(&vault.origin(LogId::META), &vault.verifiers(LogId::META));
    let witnesses: Witnesses = app.variable("VAULT_WITNESSES").unwrap().parse().unwrap();
    let (witnesses, patience) = (witnesses.clients().unwrap(), Duration::from_secs(5));
    vault.check_rollback(&witnesses, patience).await.unwrap();
    vault::publish(&vault).await.unwrap();
    assert_eq!(vault::cosign(&vault, &witnesses, patience).await.unwrap(), 1);
}

/// One caller of each kind, in one project.
pub struct Tenant {
    pub project: ProjectId,
    pub key: String,
    pub token: String,
    pub agent: Identity,
}

/// A request that is about to be made: its path is filled in, and so is its body if it takes one.
#[derive(Clone)]
pub struct Draft {
    pub path: String,
    pub kind: &'static str,
    pub body: Option<Vec<u8>>,
    /// The signer, when it is not the tenant's own agent.
    signer: Option<Identity>,
    /// The access token, when it is not the tenant's own person's.
    person: Option<String>,
}

impl Draft {
    pub fn with_body(&self, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { kind, body: Some(body.into()), ..self.clone() }
    }

    pub fn without_body(&self) -> Self {
        Self { body: None, ..self.clone() }
    }

    pub fn at(&self, path: String) -> Self {
        Self { path, ..self.clone() }
    }
}

impl World {
    pub async fn start() -> Self {
        // The limit is high enough for the walk, and set, so that answers report it.
        let witness = Witness::start("witness.example").await.unwrap();
        let variables =
            vec![("RATE_LIMIT_PER_MINUTE", "1000000".to_owned()), ("VAULT_WITNESSES", witness.entry())];
        let app =
            TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap();
        let company = Company::of(app).await;
        let app = &company.app;
        let us = Tenant {
            project: app.project(),
            key: app.key().to_owned(),
            token: company.owner.token.clone(),
            agent: app.agent("ours").await.unwrap(),
        };
        let (project, key) = app.another_project("theirs").await.unwrap();
        let agent = Identity::generate();
        register(app.client(), &key, &agent, "theirs", json!({})).await.unwrap();
        let them = Tenant { project, key, token: Human::new(app, "them@example.com").await.token, agent };
        // The seals fill a tile.
        let seals = vec![json!({ "kind": "test.walk", "verdict": "SEAL", "payload": null }); 256];
        let sealed = company.app.post("/v1/vault/seals/batch").key(&us.key).json(&json!({ "seals": seals }));
        let mut reply = sealed.clone().send().await.unwrap();
        for _ in 0..100 {
            // 503 is the answer until the witness was asked.
            if reply.status != 503 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            reply = sealed.clone().send().await.unwrap();
        }
        reply.expect::<Value>(201).unwrap();
        cosigned(&company.app, &witness).await;
        Self { company, us, them, made: AtomicU32::new(0), _witness: witness }
    }

    /// Returns the request of `draft` by `tenant`, in the first way that the document has.
    pub fn request(&self, operation: &Operation, draft: &Draft, tenant: &Tenant) -> Request {
        let mut request = self.anonymous(operation, draft);
        let ways = operation.ways();
        let Some(way) = ways.first() else { return request };
        if way.contains_key("api_key") {
            request = request.key(&tenant.key);
        } else if way.contains_key("access_token") {
            let ours = tenant.project == self.us.project;
            request = request.key(draft.person.as_ref().filter(|_| ours).unwrap_or(&tenant.token));
            if operation.takes("Holdfast-Project") {
                request = request.header("holdfast-project", &tenant.project.to_string());
            }
        }
        if way.contains_key("agent_signature") {
            request = request.sign(draft.signer.as_ref().unwrap_or(&tenant.agent));
        }
        request
    }

    /// Returns the request of `draft` in the way that has `scheme`, with another credential of
    /// ours.
    pub fn request_with(
        &self,
        operation: &Operation,
        draft: &Draft,
        scheme: &str,
        credential: &str,
    ) -> Request {
        let request = self.anonymous(operation, draft).key(credential);
        let request = request.header("holdfast-project", &self.us.project.to_string());
        let signed = |way: &&serde_json::Map<String, Value>| {
            way.contains_key(scheme) && way.contains_key("agent_signature")
        };
        match operation.ways().iter().any(signed) {
            true => request.sign(draft.signer.as_ref().unwrap_or(&self.us.agent)),
            false => request,
        }
    }

    pub fn anonymous(&self, operation: &Operation, draft: &Draft) -> Request {
        let mut request = self.company.app.client().request(operation.method.clone(), &draft.path);
        if let Some(body) = &draft.body {
            request = request.body(body.clone()).header("content-type", draft.kind);
        }
        if operation.takes("If-Match") { request.header("if-match", "*") } else { request }
    }

    /// Returns a draft that succeeds if its caller may make it: what it names was made for it
    /// alone.
    pub async fn draft(&self, operation: &Operation) -> Draft {
        let mut path = operation.path.clone();
        let mut lease = json!("lse_019aa3f0c1d27abc8def0123456789ab");
        for placeholder in operation.placeholders() {
            let made = if placeholder == "delivery" {
                let (delivery, token) = self.leased().await;
                lease = token;
                delivery
            } else {
                self.make(placeholder).await
            };
            path = path.replace(&format!("{{{placeholder}}}"), &made);
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let ids = &self.company.app.core().ids;
        let person = self.person_for(operation, number).await;
        let mut signer = None;
        let token = match operation.path.as_str() {
            "/v1/invitations/accept" => self.invited().await,
            _ => String::new(),
        };
        let body = operation.has_body().then(|| match (&operation.method, operation.path.as_str()) {
            (&Method::POST, "/v1/agents") => {
                let agent = signer.insert(Identity::generate());
                json!({ "did": agent.did(), "public_key": agent.public_key(), "name": "new" })
            }
            (&Method::PATCH, "/v1/agents/{agent}") => json!({ "name": format!("name {number}") }),
            (&Method::POST, "/v1/intents") => {
                json!({ "to": self.us.agent.did(), "type": "test.walk", "payload": number })
            }
            (_, "/v1/inbox/{delivery}/ack" | "/v1/inbox/{delivery}/nack") => json!({ "lease_token": lease }),
            (_, "/v1/inbox/{delivery}/extend") => json!({ "lease_token": lease, "seconds": 60 }),
            (_, "/v1/auth/signup") => {
                json!({ "email": format!("new{number}@example.com"), "password": PASSWORD, "name": "new" })
            }
            (_, "/v1/auth/verify-email/send" | "/v1/auth/password/forgot") => {
                json!({ "email": "nobody@example.com" })
            }
            (_, "/v1/auth/verify-email" | "/v1/auth/password/reset") => {
                json!({ "token": "hfm_unknown", "password": PASSWORD })
            }
            (_, "/v1/auth/login") => json!({ "email": "nobody@example.com", "password": PASSWORD }),
            (_, "/v1/auth/refresh" | "/v1/auth/logout") => {
                json!({ "refresh_token": RefreshToken::generate(ids).reveal() })
            }
            (_, "/v1/auth/passkeys/begin") => json!({}),
            (_, "/v1/auth/passkeys/finish") => {
                json!({ "ceremony_id": ids.next::<CeremonyId>(), "credential": {} })
            }
            (_, "/v1/me/passkeys/finish") => {
                json!({ "ceremony_id": ids.next::<CeremonyId>(), "name": "new", "credential": {} })
            }
            (_, "/v1/me") => json!({ "name": format!("name {number}") }),
            (_, "/v1/me/password") => json!({ "current_password": PASSWORD, "password": PASSWORD }),
            (_, "/v1/organizations" | "/v1/organizations/{organization}") => {
                json!({ "name": format!("name {number}") })
            }
            (_, "/v1/organizations/{organization}/projects" | "/v1/projects/{project}") => {
                json!({ "name": format!("name {number}") })
            }
            (_, "/v1/organizations/{organization}/invitations") => {
                json!({ "email": format!("guest{number}@example.com"), "role": "read_only" })
            }
            (_, "/v1/invitations/accept") => json!({ "token": token }),
            (_, "/v1/organizations/{organization}/members/{user}") => json!({ "role": "developer" }),
            (_, "/v1/projects/{project}/keys") => json!({ "name": "new", "scopes": ["agents:read"] }),
            (_, "/v1/projects/{project}/keys/{key}/rotate") => json!({ "overlap_seconds": 60 }),
            (_, "/v1/vault/seals") => json!({ "kind": "test.walk", "verdict": "SEAL", "payload": number }),
            (_, "/v1/vault/seals/batch") => {
                json!({ "seals": [{ "kind": "test.walk", "verdict": "SEAL", "payload": number }] })
            }
            (_, "/v1/vault/verify") => json!({ "receipt": "c2sp.org/tlog-proof@v1" }),
            (_, "/v1/vault/proposals/{proposal}/approve" | "/v1/vault/proposals/{proposal}/reject") => {
                json!({ "reason": "the walk" })
            }
            _ => panic!("{}: say in promises/world.rs what a sound body of it is", operation.name()),
        });
        let body = body.map(|body: Value| serde_json::to_vec(&body).unwrap());
        Draft { path, kind: "application/json", body, signer, person }
    }

    /// Returns a person of their own for an operation that changes the account of its caller.
    async fn person_for(&self, operation: &Operation, number: u32) -> Option<String> {
        let app = &self.company.app;
        let changes = (&operation.method, operation.path.as_str());
        let closes = changes == (&Method::DELETE, "/v1/me");
        let (keeps, password) = (operation.path == "/v1/me/restore", operation.path == "/v1/me/password");
        if !(closes || keeps || password) {
            return None;
        }
        let (user, token) = app.person(&format!("person{number}@example.com")).await.unwrap();
        if keeps {
            app.delete("/v1/me").key(&token).send().await.unwrap().expect::<Value>(202).unwrap();
        }
        if password {
            let set = "UPDATE users SET password_hash = $1 WHERE id = $2";
            sqlx::query(set).bind(HASH).bind(user).execute(app.core().db.pool()).await.unwrap();
        }
        Some(token)
    }

    /// Makes something that a placeholder of a path can name.
    async fn make(&self, placeholder: &str) -> String {
        let app = &self.company.app;
        match placeholder {
            "organization" => self.company.id.to_string(),
            "project" => self.us.project.to_string(),
            "user" => self.company.member(Role::ReadOnly).await.id.to_string(),
            "key" => self.company.key(&["agents:read"]).await.0,
            "agent" => app.agent("made").await.unwrap().did().to_owned(),
            "intent" => self.intent().await,
            "passkey" => {
                let id: PasskeyId = app.core().ids.next();
                let insert = "INSERT INTO passkeys (id, user_id, credential_id, credential, name, \
                    created_at) VALUES ($1, $2, $3, '{}', 'made', now())";
                let insert = sqlx::query(insert)
                    .bind(id)
                    .bind(self.company.owner.id)
                    .bind(id.uuid().as_bytes().as_slice());
                insert.execute(app.core().db.pool()).await.unwrap();
                id.to_string()
            }
            "session" => {
                let id: SessionId = app.core().ids.next();
                let insert = "INSERT INTO sessions \
                        (id, user_id, method, address, user_agent, created_at, last_used_at, expires_at) \
                    VALUES ($1, $2, 'password', '', '', now(), now(), now() + interval '1 day')";
                sqlx::query(insert)
                    .bind(id)
                    .bind(self.company.owner.id)
                    .execute(app.core().db.pool())
                    .await
                    .unwrap();
                id.to_string()
            }
            "invitation" => self.company.old_invitation().await,
            "log" => format!("log_{}", self.us.project.uuid().simple()),
            "level" => "0".to_owned(),
            "tile" => "000".to_owned(),
            "index" => self.sealed(json!({ "verdict": "SEAL" })).await,
            "proposal" => self.sealed(json!({ "verdict": "HOLD" })).await,
            "subject" => {
                let subject = format!("subject{}", self.made.fetch_add(1, Ordering::Relaxed));
                self.sealed(json!({ "verdict": "SEAL", "subject": subject, "personal": "x" })).await;
                subject
            }
            _ => panic!("{{{placeholder}}}: say in promises/world.rs how to make one"),
        }
    }

    /// Returns the name of something that does not exist, for a placeholder.
    pub fn unknown(&self, placeholder: &str) -> String {
        let ids = &self.company.app.core().ids;
        match placeholder {
            "organization" => ids.next::<OrganizationId>().to_string(),
            "project" => ids.next::<ProjectId>().to_string(),
            "user" => ids.next::<UserId>().to_string(),
            "key" => ids.next::<ApiKeyId>().to_string(),
            "agent" => Identity::generate().did().to_owned(),
            "intent" => ids.next::<IntentId>().to_string(),
            "delivery" => ids.next::<DeliveryId>().to_string(),
            "invitation" => ids.next::<InvitationId>().to_string(),
            "session" => ids.next::<SessionId>().to_string(),
            "passkey" => ids.next::<PasskeyId>().to_string(),
            "log" => format!("log_{}", ids.next::<ProjectId>().uuid().simple()),
            "index" | "proposal" => u32::MAX.to_string(),
            "subject" => "nobody".to_owned(),
            _ => panic!("{{{placeholder}}}: say in promises/world.rs what an unknown one is"),
        }
    }

    /// Returns the mailed token of an invitation of our owner into another organization.
    async fn invited(&self) -> String {
        let app = &self.company.app;
        let email = format!("host{}@example.com", self.made.fetch_add(1, Ordering::Relaxed));
        let host = Human::new(app, &email).await;
        let made = host.post("/v1/organizations").json(&json!({ "name": "theirs" })).send().await.unwrap();
        let invitations = format!("{}/invitations", made.header("location"));
        let body = json!({ "email": "owner@example.com", "role": "developer" });
        let made: Value = host.post(&invitations).json(&body).send().await.unwrap().expect(201).unwrap();
        self.company.mailed(made["id"].as_str().unwrap()).await
    }

    /// Makes a seal of ours. Returns its place in the log.
    async fn sealed(&self, more: Value) -> String {
        let mut seal = json!({ "kind": "test.walk", "payload": null });
        seal.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let sealed =
            self.company.app.post("/v1/vault/seals").key(&self.us.key).json(&seal).send().await.unwrap();
        sealed.expect::<Value>(201).unwrap()["index"].to_string()
    }

    /// Sends an intent of our agent to itself.
    async fn intent(&self) -> String {
        let body = json!({ "to": self.us.agent.did(), "type": "test.walk", "payload": null });
        let sent =
            self.company.app.post("/v1/intents").json(&body).sign(&self.us.agent).send().await.unwrap();
        sent.expect::<Value>(202).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Returns a delivery that our agent holds, and the token of its lease.
    async fn leased(&self) -> (String, Value) {
        self.intent().await;
        let inbox = self.company.app.get("/v1/inbox?max=100").sign(&self.us.agent).send().await.unwrap();
        let inbox: Value = inbox.expect(200).unwrap();
        let delivery = inbox["data"].as_array().unwrap().last().unwrap();
        (delivery["id"].as_str().unwrap().to_owned(), delivery["lease_token"].clone())
    }
}
