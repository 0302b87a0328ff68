//! Each rule of a value, on each operation that lists its code: a row for each. `codes.rs` fails
//! when one is missing.

use kernel::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Request;

use crate::people::Company;

/// A company with what the rows name.
struct Scene {
    company: Company,
    proposal: String,
}

impl Scene {
    async fn set() -> Self {
        let company = Company::start().await;
        let hold = json!({ "kind": "k", "verdict": "HOLD", "payload": 1 });
        let sealed = company.app.post("/v1/vault/seals").key(company.app.key()).json(&hold);
        let sealed: Value = sealed.send().await.unwrap().expect(201).unwrap();
        Self { proposal: format!("/v1/vault/proposals/{}", sealed["index"]), company }
    }

    /// A request of the owner in the project.
    fn request(&self, method: Method, path: &str) -> Request {
        let request = self.company.owner.request(method, path).header("if-match", "*");
        request.header("holdfast-project", &self.company.app.project().to_string())
    }

    async fn get(&self, path: &str, code: &str) {
        let reply = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (422, code), "{path}: {}", reply.json());
    }

    async fn send(&self, method: Method, path: &str, body: Value, code: &str) {
        let reply = self.request(method, path).json(&body).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (422, code), "{path} {body}: {}", reply.json());
    }
}

fn long(chars: usize) -> String {
    "x".repeat(chars + 1)
}

#[tokio::test]
async fn filters() {
    let scene = Scene::set().await;
    let audit = scene.company.path("/audit-events");
    let seals = "/v1/vault/seals";
    for path in ["/v1/me/audit-events", &audit, &format!("{audit}/export")] {
        scene.get(&format!("{path}?action="), "too_short").await;
        scene.get(&format!("{path}?action={}", long(64)), "too_long").await;
        scene.get(&format!("{path}?action=%00"), "nul_byte").await;
        let backwards = "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z";
        scene.get(&format!("{path}?{backwards}"), "out_of_range").await;
    }
    for path in [seals, &format!("{seals}/counts")] {
        scene.get(&format!("{path}?kind="), "too_short").await;
        scene.get(&format!("{path}?kind={}", long(64)), "too_long").await;
        scene.get(&format!("{path}?kind=%00"), "nul_byte").await;
        let backwards = "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z";
        scene.get(&format!("{path}?{backwards}"), "out_of_range").await;
    }
}

#[tokio::test]
async fn names_and_reasons() {
    let scene = Scene::set().await;
    for (name, code) in [("", "too_short"), ("a\nb", "control_character"), ("\0", "nul_byte")] {
        scene.send(Method::PATCH, "/v1/me", json!({ "name": name }), code).await;
    }
    scene.send(Method::PATCH, "/v1/me", json!({ "name": long(100) }), "too_long").await;
    for how in ["approve", "reject"] {
        let path = format!("{}/{how}", scene.proposal);
        for (reason, code) in [(String::new(), "too_short"), (long(2_000), "too_long")] {
            scene.send(Method::POST, &path, json!({ "reason": reason }), code).await;
        }
        scene.send(Method::POST, &path, json!({ "reason": "\0" }), "nul_byte").await;
    }
    for (receipt, code) in [(String::new(), "too_short"), (long(262_144), "too_long")] {
        scene.send(Method::POST, "/v1/vault/verify", json!({ "receipt": receipt }), code).await;
    }
}

#[tokio::test]
async fn seals() {
    let scene = Scene::set().await;
    let sound = json!({ "kind": "k", "verdict": "SEAL", "payload": 1 });
    let with = |field: &str, value: Value| {
        let mut seal = sound.clone();
        seal[field] = value;
        seal
    };
    let held = |seconds: u64| {
        let mut seal = with("verdict", json!("HOLD"));
        seal["expires_in_seconds"] = json!(seconds);
        seal
    };
    for (seal, code) in [
        (with("kind", json!("")), "too_short"),
        (with("kind", json!(long(64))), "too_long"),
        (with("kind", json!("a\0b")), "nul_byte"),
        (with("kind", json!("a\nb")), "control_character"),
        (with("personal", json!("x")), "missing_field"),
        (held(0), "ttl_out_of_range"),
    ] {
        scene.send(Method::POST, "/v1/vault/seals", seal.clone(), code).await;
        scene.send(Method::POST, "/v1/vault/seals/batch", json!({ "seals": [seal] }), code).await;
    }
    scene.send(Method::POST, "/v1/vault/seals/batch", json!({ "seals": [] }), "out_of_range").await;
    for (path, body) in [
        ("/v1/vault/seals", r#"{"kind":"k","verdict":"SEAL","payload":{"a":1,"a":2}}"#),
        ("/v1/vault/seals/batch", r#"{"seals":[{"kind":"k","verdict":"SEAL","payload":{"a":1,"a":2}}]}"#),
    ] {
        let twice = scene.request(Method::POST, path).body(body.as_bytes().to_vec());
        let reply = twice.header("content-type", "application/json").send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (422, "ambiguous_json"), "{path}");
    }
    let other_size = json!({ "seals": [sound], "expected_size": 99 });
    let reply = scene.request(Method::POST, "/v1/vault/seals/batch").json(&other_size).send().await.unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (409, "size_mismatch"), "{}", reply.json());
}

#[tokio::test]
async fn deliveries() {
    let scene = Scene::set().await;
    let app = &scene.company.app;
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let intent = json!({ "to": bob.did(), "type": "greeting", "payload": 1 });
    app.post("/v1/intents").json(&intent).sign(&ada).send().await.unwrap().expect::<Value>(202).unwrap();
    let inbox: Value = app.get("/v1/inbox").sign(&bob).send().await.unwrap().expect(200).unwrap();
    let lease = inbox["data"][0]["lease_token"].clone();
    let path = format!("/v1/inbox/{}", inbox["data"][0]["id"].as_str().unwrap());
    for (how, field, value, code) in [
        ("extend", "seconds", json!(0), "out_of_range"),
        ("nack", "delay_seconds", json!(u32::MAX), "out_of_range"),
        ("nack", "reason", json!(""), "too_short"),
        ("nack", "reason", json!(long(500)), "too_long"),
        ("nack", "reason", json!("\0"), "nul_byte"),
    ] {
        let body = json!({ "lease_token": lease, field: value });
        let reply = app.post(&format!("{path}/{how}")).json(&body).sign(&bob).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (422, code), "{how} {body}: {}", reply.json());
    }
}

#[tokio::test]
async fn who_asks_and_for_whom() {
    let scene = Scene::set().await;
    let app = &scene.company.app;
    let unsaid = scene.company.owner.get("/v1/agents").send().await.unwrap();
    assert_eq!((unsaid.status, unsaid.code().as_str()), (400, "project_missing"));

    // Whoever proposed does not decide.
    let hold = json!({ "kind": "k", "verdict": "HOLD", "payload": 1 });
    let own = scene.request(Method::POST, "/v1/vault/seals").json(&hold).send().await.unwrap();
    let own = own.expect::<Value>(201).unwrap()["index"].clone();
    for how in ["approve", "reject"] {
        let path = format!("/v1/vault/proposals/{own}/{how}");
        let reply =
            scene.request(Method::POST, &path).json(&json!({ "reason": "mine" })).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden"), "{how}");
    }

    // An agent registers itself, and no other name.
    let eve = testkit::Identity::generate();
    let mut signing = testkit::Signing::by(&eve, &kernel::Clock::system());
    signing.keyid = Some("did:web:ada.example.com".to_owned());
    let body = json!({ "did": eve.did(), "public_key": eve.public_key(), "name": "Eve" });
    let other = app.post("/v1/agents").key(app.key()).json(&body).sign_with(signing).send().await.unwrap();
    assert_eq!((other.status, other.code().as_str()), (403, "forbidden"), "{}", other.json());

    // An admin does not send an owner's invitation again.
    let admin = scene.company.member(Role::Admin).await;
    let invitation = scene.company.old_invitation().await;
    sqlx::query("UPDATE invitations SET role = 'owner'").execute(app.core().db.pool()).await.unwrap();
    let again = scene.company.path(&format!("/invitations/{invitation}/resend"));
    let again = admin.post(&again).send().await.unwrap();
    assert_eq!((again.status, again.code().as_str()), (403, "role_too_high"), "{}", again.json());
}

#[tokio::test]
async fn passwords() {
    let company = Company::start().await;
    let app = &company.app;
    let set = sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2");
    let set = set.bind(crate::promises::HASH).bind(company.owner.id);
    set.execute(app.core().db.pool()).await.unwrap();
    let forgot = json!({ "email": "owner@example.com" });
    assert_eq!(app.post("/v1/auth/password/forgot").json(&forgot).send().await.unwrap().status, 202);
    let token = crate::accounts::mailed_token(app, "Choose a new password").await;
    for (password, code) in [
        ("short".to_owned(), "too_short"),
        (long(256), "too_long"),
        ("nul \0 nul".to_owned(), "nul_byte"),
        ("password123".to_owned(), "weak_password"),
    ] {
        let reset = json!({ "token": token, "password": password });
        let reset = app.post("/v1/auth/password/reset").json(&reset).send().await.unwrap();
        assert_eq!((reset.status, reset.code().as_str()), (422, code), "{}", reset.json());
        let change = json!({ "current_password": "correct horse battery", "password": password });
        let change = company.owner.post("/v1/me/password").json(&change).send().await.unwrap();
        assert_eq!((change.status, change.code().as_str()), (422, code), "{}", change.json());
    }
}
