//! Bad input gets its own code, the right 4xx, and writes nothing.

use dev::TestApp;
use kernel::Clock;
use serde_json::{Value, json};
use testkit::{Identity, Signing, client::Request};

struct Scene {
    app: TestApp,
    ada: Identity,
    bob: Identity,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start_with(dev::AppOptions { worker: false, ..Default::default() }).await.unwrap();
        let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
        Self { app, ada, bob }
    }

    fn intent(&self) -> Value {
        json!({ "to": self.bob.did(), "type": "greeting", "payload": { "text": "hello" } })
    }

    /// Returns the good intent with one field changed; null removes it.
    fn with(&self, field: &str, value: Value) -> Value {
        let mut intent = self.intent();
        if value.is_null() {
            intent.as_object_mut().unwrap().remove(field);
        } else {
            intent[field] = value;
        }
        intent
    }

    fn post(&self, body: &Value) -> Request {
        self.app.post("/v1/intents").json(body)
    }

    /// Returns the number of rows that a request could have written.
    async fn rows(&self) -> i64 {
        sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM intents) + (SELECT count(*) FROM deliveries) \
                  + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM audit_events) \
                  + (SELECT count(*) FROM agents) + (SELECT count(*) FROM signature_nonces)",
        )
        .fetch_one(self.app.core().db.pool())
        .await
        .unwrap()
    }

    /// Sends a request that must be refused with `status` and `code`, and write nothing. Returns
    /// the problem.
    async fn refused(&self, what: &str, request: Request, status: u16, code: &str) -> Value {
        let before = self.rows().await;
        let reply = request.send().await.unwrap();
        let problem = reply.json();
        assert_eq!((reply.status, problem["code"].as_str()), (status, Some(code)), "{what}: {problem}");
        assert_eq!(reply.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(self.rows().await, before, "{what} was refused, and yet written");
        problem
    }

    /// Sends an intent that is signed in a way that must be refused.
    async fn signing(&self, what: &str, change: impl FnOnce(&mut Signing), status: u16, code: &str) {
        let mut signing = Signing::by(&self.ada, &Clock::system());
        change(&mut signing);
        self.refused(what, self.post(&self.intent()).sign_with(signing), status, code).await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_a_rule_names_the_place() {
    let scene = Scene::set().await;
    let long = "x".repeat(129);
    let big = "x".repeat(262_144);
    let cases = [
        ("a number as the type", scene.with("type", json!(7)), "wrong_type", "/type"),
        ("a text as the ttl", scene.with("ttl_seconds", json!("60")), "wrong_type", "/ttl_seconds"),
        ("no payload", scene.with("payload", Value::Null), "missing_field", "/payload"),
        ("an unknown field", scene.with("priority", json!(1)), "unknown_field", "/priority"),
        ("a NUL in the type", scene.with("type", json!("a\0b")), "nul_byte", "/type"),
        (
            "a NUL in the correlation",
            scene.with("correlation_id", json!("\0")),
            "nul_byte",
            "/correlation_id",
        ),
        ("an over-long type", scene.with("type", json!(long)), "too_long", "/type"),
        ("an empty type", scene.with("type", json!("")), "too_short", "/type"),
        (
            "an over-long correlation",
            scene.with("correlation_id", json!(long)),
            "too_long",
            "/correlation_id",
        ),
        ("an over-long payload", scene.with("payload", json!(big)), "too_long", "/payload"),
        ("a recipient that is no DID", scene.with("to", json!("bob")), "invalid_did", "/to"),
        ("a reply_to that is no DID", scene.with("reply_to", json!("did:")), "invalid_did", "/reply_to"),
        (
            "an unknown recipient",
            scene.with("to", json!(Identity::generate().did())),
            "unknown_recipient",
            "/to",
        ),
        ("an expired ttl", scene.with("ttl_seconds", json!(0)), "ttl_out_of_range", "/ttl_seconds"),
        ("a negative ttl", scene.with("ttl_seconds", json!(-5)), "ttl_out_of_range", "/ttl_seconds"),
        (
            "a ttl of eight days",
            scene.with("ttl_seconds", json!(8 * 86_400)),
            "ttl_out_of_range",
            "/ttl_seconds",
        ),
    ];
    for (what, body, code, pointer) in cases {
        let problem = scene.refused(what, scene.post(&body).sign(&scene.ada), 422, code).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{what}: {problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{what}: {problem}");
    }
    let two = json!({ "to": "bob", "type": "", "payload": 1 });
    let problem = scene.refused("two at once", scene.post(&two).sign(&scene.ada), 422, "invalid_did").await;
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let scene = Scene::set().await;
    let raw =
        |body: Vec<u8>| scene.app.post("/v1/intents").body(body).header("content-type", "application/json");
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for (what, body, status, code) in [
        ("half a document", b"{\"to\":".to_vec(), 400, "malformed_json"),
        ("two documents", b"{} {}".to_vec(), 422, "missing_field"),
        ("not UTF-8", b"{\"to\":\"\xff\"}".to_vec(), 400, "malformed_json"),
        ("a key twice", b"{\"to\":\"a\",\"to\":\"b\"}".to_vec(), 400, "malformed_json"),
        ("not a number", b"{\"payload\":NaN}".to_vec(), 400, "malformed_json"),
        ("an array", b"[]".to_vec(), 422, "wrong_type"),
        ("ten megabytes", vec![b' '; 10 << 20], 413, "payload_too_large"),
        ("nested without end", format!("{{\"payload\":{deep}}}").into_bytes(), 413, "payload_too_large"),
    ] {
        scene.refused(what, raw(body).sign(&scene.ada), status, code).await;
    }
    let text = scene.post(&scene.intent()).header("content-type", "text/plain").sign(&scene.ada);
    scene.refused("plain text", text, 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_signature_must_cover_the_request_and_be_new() {
    let scene = Scene::set().await;
    let now = Clock::system().now().timestamp();
    let without = |name: &'static str| {
        move |signing: &mut Signing| signing.components.retain(|component| component != name)
    };
    scene.signing("method not covered", without("@method"), 401, "signature_coverage").await;
    scene.signing("target not covered", without("@target-uri"), 401, "signature_coverage").await;
    scene.signing("body not covered", without("content-digest"), 401, "signature_coverage").await;
    scene.signing("nothing covered", |signing| signing.components.clear(), 401, "signature_coverage").await;
    scene.signing("no created", |signing| signing.created = None, 401, "signature_malformed").await;
    scene
        .signing("created long ago", |signing| signing.created = Some(now - 120), 401, "signature_stale")
        .await;
    scene
        .signing("created in the future", |signing| signing.created = Some(now + 120), 401, "signature_stale")
        .await;
    scene
        .signing(
            "created out of all bounds",
            |signing| signing.created = Some(999_999_999_999_999),
            401,
            "signature_malformed",
        )
        .await;
    scene.signing("expired", |signing| signing.expires = Some(now - 1), 401, "signature_stale").await;
    scene.signing("no nonce", |signing| signing.nonce = None, 401, "signature_malformed").await;
    scene
        .signing("a short nonce", |signing| signing.nonce = Some("1".into()), 401, "signature_malformed")
        .await;
    scene
        .signing("a long nonce", |signing| signing.nonce = Some("1".repeat(129)), 401, "signature_malformed")
        .await;
    scene.signing("no keyid", |signing| signing.keyid = None, 401, "signature_malformed").await;
    scene
        .signing(
            "a keyid that is no DID",
            |signing| signing.keyid = Some("did:".into()),
            401,
            "signature_malformed",
        )
        .await;
    scene
        .signing(
            "another algorithm",
            |signing| signing.alg = Some("hmac-sha256".into()),
            401,
            "signature_malformed",
        )
        .await;
    scene
        .signing(
            "a component twice",
            |signing| signing.components.push("@method".into()),
            401,
            "signature_malformed",
        )
        .await;
    scene
        .signing(
            "an unknown component",
            |signing| signing.components.push("@status".into()),
            401,
            "signature_malformed",
        )
        .await;
    let bob = scene.bob.did().to_owned();
    scene.signing("another's name", |signing| signing.keyid = Some(bob), 401, "signature_invalid").await;
    let stranger = Identity::generate();
    let unknown = scene.post(&scene.intent()).sign(&stranger);
    scene.refused("a stranger", unknown, 401, "agent_unknown").await;
}

#[tokio::test]
async fn a_request_that_was_changed_after_it_was_signed_is_refused() {
    let scene = Scene::set().await;
    let signed = || scene.post(&scene.intent()).sign(&scene.ada);
    scene.refused("another body", signed().body("{}"), 400, "digest_mismatch").await;
    let other = testkit::sign::content_digest(b"{}");
    scene
        .refused(
            "another body and its digest",
            signed().body("{}").header("content-digest", &other),
            401,
            "signature_invalid",
        )
        .await;
    scene.refused("no digest", signed().without("content-digest"), 400, "digest_missing").await;
    let unknown_kind = scene.post(&scene.intent()).header("content-digest", "md5=:AAAA:").sign(&scene.ada);
    scene.refused("a digest of no known kind", unknown_kind, 400, "digest_missing").await;
    scene.refused("another path", signed().retarget("/api/v1/intents"), 401, "signature_invalid").await;
    scene.refused("a query added", signed().retarget("/v1/intents?x=1"), 401, "signature_invalid").await;
    scene.refused("no signature", signed().without("signature"), 401, "signature_missing").await;
    scene.refused("no input", signed().without("signature-input"), 401, "signature_missing").await;
    scene.refused("not signed at all", scene.post(&scene.intent()), 401, "signature_missing").await;
    scene
        .refused(
            "only the project's key",
            scene.post(&scene.intent()).key(scene.app.key()),
            401,
            "signature_missing",
        )
        .await;
    scene.refused("nonsense", signed().header("signature", "sig1=::::"), 401, "signature_malformed").await;
    let short = signed().header("signature", "sig1=:AAAA:");
    scene.refused("a short signature", short, 401, "signature_malformed").await;
    let zero = format!("sig1=:{}:", "A".repeat(86) + "==");
    scene
        .refused("a signature of zeros", signed().header("signature", &zero), 401, "signature_invalid")
        .await;
    let host = signed().header("host", "elsewhere.example.com");
    assert_eq!(host.send().await.unwrap().status, 202, "the authority is ours to say, not a header's");
}

#[tokio::test]
async fn a_replay_is_refused_whatever_it_does() {
    let scene = Scene::set().await;
    let send = scene.post(&scene.intent()).sign(&scene.ada);
    assert_eq!(send.clone().send().await.unwrap().status, 202);
    scene.refused("an intent again", send, 409, "nonce_replayed").await;
    let poll = scene.app.get("/v1/inbox").sign(&scene.bob);
    let inbox: Value = poll.clone().send().await.unwrap().expect(200).unwrap();
    scene.refused("a poll again", poll, 409, "nonce_replayed").await;
    let lease = &inbox["data"][0];
    let path = format!("/v1/inbox/{}/ack", lease["id"].as_str().unwrap());
    let ack = scene.app.post(&path).json(&json!({ "lease_token": lease["lease_token"] })).sign(&scene.bob);
    assert_eq!(ack.clone().send().await.unwrap().status, 204);
    scene.refused("an acknowledgement again", ack, 409, "nonce_replayed").await;
    let registration = json!({ "did": scene.ada.did(), "public_key": scene.ada.public_key(), "name": "Ada" });
    let register = scene.app.post("/v1/agents").key(scene.app.key()).json(&registration).sign(&scene.ada);
    assert_eq!(register.clone().send().await.unwrap().status, 200);
    scene.refused("a registration again", register, 409, "nonce_replayed").await;
    let remove = scene.app.delete(&format!("/v1/agents/{}", scene.ada.did())).sign(&scene.ada);
    assert_eq!(remove.clone().send().await.unwrap().status, 204);
    let registration = scene.app.post("/v1/agents").key(scene.app.key()).json(&registration).sign(&scene.ada);
    assert_eq!(registration.send().await.unwrap().status, 200);
    scene.refused("a removal again", remove, 409, "nonce_replayed").await;
}

#[tokio::test]
async fn a_registration_that_breaks_a_rule_is_refused() {
    let scene = Scene::set().await;
    let new = Identity::generate();
    let registration = json!({ "did": new.did(), "public_key": new.public_key(), "name": "New" });
    let register = |field: &str, value: Value| {
        let mut body = registration.clone();
        body[field] = value;
        scene.app.post("/v1/agents").key(scene.app.key()).json(&body).sign(&new)
    };
    // y = 2 has no x on the curve.
    let off_curve = "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let small_order = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (what, request, code) in [
        ("a DID that is none", register("did", json!("new")), "invalid_did"),
        ("a key that is no base64", register("public_key", json!("???")), "invalid_public_key"),
        ("a key that is too short", register("public_key", json!("AAAA")), "invalid_public_key"),
        ("a key off the curve", register("public_key", json!(off_curve)), "invalid_public_key"),
        ("a key of small order", register("public_key", json!(small_order)), "invalid_public_key"),
        ("a did:key of another key", register("did", json!(scene.ada.did())), "did_key_mismatch"),
        ("no name", register("name", json!("")), "too_short"),
        ("a NUL in the name", register("name", json!("a\0")), "nul_byte"),
        ("a long name", register("name", json!("n".repeat(101))), "too_long"),
        (
            "many capabilities",
            register("capabilities", json!(vec![json!({"description": "d", "version": "1"}); 33])),
            "too_long",
        ),
        (
            "a NUL in a tag",
            register("capabilities", json!([{"description": "d", "version": "1", "tags": ["\0"]}])),
            "nul_byte",
        ),
        ("an endpoint that is no URL", register("endpoint", json!("here")), "invalid_endpoint"),
        ("a file as the endpoint", register("endpoint", json!("file:///etc/passwd")), "invalid_endpoint"),
        (
            "an endpoint with a password",
            register("endpoint", json!("https://a:b@example.com")),
            "invalid_endpoint",
        ),
        (
            "an endpoint with a fragment",
            register("endpoint", json!("https://example.com/#x")),
            "invalid_endpoint",
        ),
    ] {
        scene.refused(what, request, 422, code).await;
    }
    let by_another = scene.app.post("/v1/agents").key(scene.app.key()).json(&registration).sign(&scene.ada);
    scene.refused("signed by another key", by_another, 401, "signature_invalid").await;
    let unsigned = scene.app.post("/v1/agents").key(scene.app.key()).json(&registration);
    scene.refused("not signed", unsigned, 401, "signature_missing").await;
    let keyless = scene.app.post("/v1/agents").json(&registration).sign(&new);
    scene.refused("without the project's key", keyless, 401, "credentials_missing").await;
    for key in ["", "hf_", "hf_development_0_x_00000000", &"k".repeat(100_000)] {
        let Ok(reply) = scene.app.post("/v1/agents").key(key).json(&registration).sign(&new).send().await
        else {
            continue;
        };
        assert!([400, 401, 431].contains(&reply.status), "{}", reply.status);
    }
}

#[tokio::test]
async fn a_path_or_a_query_that_names_nothing_is_refused() {
    let scene = Scene::set().await;
    let (_, their_key) = scene.app.another_project("theirs").await.unwrap();
    let get = |path: &str| scene.app.get(path);
    let refused =
        async |path: &str, status, code| scene.refused(path, get(path).sign(&scene.bob), status, code).await;
    refused("/v1/intents/int_00000000000000000000000000000000", 404, "not_found").await;
    refused("/v1/intents/agt_00000000000000000000000000000000", 404, "not_found").await;
    refused("/v1/intents/%00", 404, "not_found").await;
    refused("/v1/intents/1'%20OR%20'1'='1", 404, "not_found").await;
    refused("/v1/inbox?wait=31", 422, "out_of_range").await;
    refused("/v1/inbox?max=0", 422, "out_of_range").await;
    refused("/v1/inbox?max=101", 422, "out_of_range").await;
    refused("/v1/inbox?lease_seconds=0", 422, "out_of_range").await;
    refused("/v1/inbox?max=many", 422, "wrong_type").await;
    refused("/v1/inbox?colour=red", 422, "unknown_field").await;
    refused("/v1/agents?limit=201", 422, "out_of_range").await;
    refused("/v1/agents?cursor=x", 422, "invalid_cursor").await;
    refused("/v1/agents/nobody", 404, "not_found").await;
    refused("/v1/agents/did:web:example.com", 404, "not_found").await;
    let theirs = get(&format!("/v1/agents/{}", scene.bob.did())).key(&their_key);
    scene.refused("another project's agent", theirs, 404, "not_found").await;
    let sneaked = scene.post(&scene.intent()).key(&their_key).sign(&scene.ada);
    scene.refused("another project's key beside the signature", sneaked, 401, "agent_unknown").await;
}

/// A delivery must hold no secret, and be of no use in another project.
#[tokio::test]
async fn an_envelope_gives_nobody_a_secret_or_a_second_use() {
    let scene = Scene::set().await;
    let mut signing = Signing::by(&scene.ada, &Clock::system());
    signing.components.push("authorization".to_owned());
    let secret = scene.post(&scene.intent()).key(scene.app.key()).sign_with(signing);
    scene.refused("an API key under the signature", secret, 401, "signature_coverage").await;

    let (theirs, their_key) = scene.app.another_project("theirs").await.unwrap();
    for agent in [&scene.ada, &scene.bob] {
        dev::app::register(scene.app.client(), &their_key, agent, "here as well", json!({})).await.unwrap();
    }
    let ours = scene.app.project().to_string();
    let signed = scene.post(&scene.intent()).sign(&scene.ada);
    assert_eq!(signed.clone().header("holdfast-project", &ours).send().await.unwrap().status, 202);
    let elsewhere = signed.header("holdfast-project", &theirs.to_string());
    scene.refused("the same request in another project", elsewhere, 409, "nonce_replayed").await;
}

/// An anonymous caller's body is not waited for: a client that can hold a place open for free can
/// hold all of them.
#[tokio::test]
async fn a_stranger_is_refused_before_its_body_arrives() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let scene = Scene::set().await;
    let address = scene.app.url().socket_addrs(|| None).unwrap()[0];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/intents HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: \
        9\r\nsignature-input: x\r\nsignature: x\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    let read = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read(&mut answer)).await;
    let read = read.expect("the body was waited for").unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 401"), "{answer:?}");
}
