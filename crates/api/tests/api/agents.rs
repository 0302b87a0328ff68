//! `/v1/agents`.

use dev::{TestApp, app::register};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Identity, client::Request};

fn registration(agent: &Identity) -> Value {
    json!({ "did": agent.did(), "public_key": agent.public_key(), "name": "Ada" })
}

#[tokio::test]
async fn an_agent_registers_is_found_listed_changed_and_removed() {
    let app = TestApp::start().await.unwrap();
    let ada = Identity::generate();
    let made =
        app.post("/v1/agents").key(app.key()).json(&registration(&ada)).sign(&ada).send().await.unwrap();
    let agent: Value = made.expect(201).unwrap();
    let id = agent["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/agents/{id}"));
    let by_id = app.get(made.header("location")).key(app.key()).send().await.unwrap();
    assert_eq!(by_id.expect::<Value>(200).unwrap(), agent, "an id names an agent as its DID does");
    assert!(id.starts_with("agt_"), "{agent}");

    let found = app.get(&format!("/v1/agents/{}", ada.did()));
    assert_eq!(found.clone().key(app.key()).send().await.unwrap().expect::<Value>(200).unwrap(), agent);
    // An agent may ask by its signature, and under the other prefix.
    let other_prefix = app.get(&format!("/api/v1/agents/{}", ada.did())).sign(&ada).send().await.unwrap();
    assert_eq!(other_prefix.expect::<Value>(200).unwrap(), agent);

    let mut changed = registration(&ada);
    changed["endpoint"] = json!("https://ada.example.com/inbox");
    changed["capabilities"] = json!([{ "description": "sums", "tags": ["maths"], "version": "2" }]);
    let changed = app.post("/v1/agents").key(app.key()).json(&changed).sign(&ada).send().await.unwrap();
    let changed: Value = changed.expect(200).unwrap();
    assert_eq!(
        (&changed["id"], &changed["endpoint"]),
        (&agent["id"], &json!("https://ada.example.com/inbox"))
    );
    assert_ne!(changed["updated_at"], agent["updated_at"]);

    let removed = app.delete(&format!("/v1/agents/{}", ada.did())).key(app.key()).send().await.unwrap();
    assert_eq!((removed.status, removed.body.len()), (204, 0));
    assert_eq!(found.clone().key(app.key()).send().await.unwrap().code(), "not_found");
    let again =
        app.post("/v1/agents").key(app.key()).json(&registration(&ada)).sign(&ada).send().await.unwrap();
    assert_eq!(again.expect::<Value>(200).unwrap()["id"], agent["id"], "the same key gets its place back");
}

#[tokio::test]
async fn pages_follow_each_other_while_agents_are_added() {
    let app = TestApp::start().await.unwrap();
    let mut known = Vec::new();
    for number in 0..7 {
        known.push(app.agent(&format!("agent {number}")).await.unwrap().did().to_owned());
    }
    known.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/agents?limit=3".to_owned();
    loop {
        let reply = app.get(&path).key(app.key()).send().await.unwrap();
        let page: Value = reply.expect(200).unwrap();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|agent| agent["did"].as_str().unwrap().to_owned()),
        );
        app.agent("added meanwhile").await.unwrap();
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(reply.header("link"), "");
            break;
        };
        assert_eq!(reply.header("link"), format!("</v1/agents?cursor={cursor}&limit=3>; rel=\"next\""));
        path = format!("/v1/agents?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, known);
}

#[tokio::test]
async fn another_key_cannot_take_a_did() {
    let app = TestApp::start().await.unwrap();
    let (owner, thief) = (Identity::generate(), Identity::generate());
    let as_did = |agent: &Identity| {
        let did = "did:web:ada.example.com";
        json!({ "did": did, "public_key": agent.public_key(), "name": "Ada" })
    };
    let claim = async |agent: &Identity| {
        let mut signing = testkit::Signing::by(agent, &kernel::Clock::system());
        signing.keyid = Some("did:web:ada.example.com".to_owned());
        app.post("/v1/agents").key(app.key()).json(&as_did(agent)).sign_with(signing).send().await.unwrap()
    };
    claim(&owner).await.expect::<Value>(201).unwrap();
    claim(&owner).await.expect::<Value>(200).unwrap();
    let refused = claim(&thief).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "agent_key_conflict"));
}

#[tokio::test]
async fn an_agent_removes_itself_and_nobody_else() {
    let app = TestApp::start().await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let path = format!("/v1/agents/{}", bob.did());
    let refused = app.delete(&path).sign(&ada).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert_eq!(app.delete(&path).sign(&bob).send().await.unwrap().status, 204);
    let unknown = app.get("/v1/inbox").sign(&bob).send().await.unwrap();
    assert_eq!((unknown.status, unknown.code().as_str()), (401, "agent_unknown"));
}

/// The same DID in two projects: neither shows the other's, and a signature alone does not select
/// one.
#[tokio::test]
async fn projects_do_not_see_each_other() {
    let app = TestApp::start().await.unwrap();
    let (theirs, their_key) = app.another_project("theirs").await.unwrap();
    let ada = app.agent("Ada").await.unwrap();
    let path = format!("/v1/agents/{}", ada.did());
    assert_eq!(app.get(&path).key(&their_key).send().await.unwrap().code(), "not_found");
    assert_eq!(app.delete(&path).key(&their_key).send().await.unwrap().code(), "not_found");
    let page: Value = app.get("/v1/agents").key(&their_key).send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"], json!([]));

    register(app.client(), &their_key, &ada, "Ada, over there", json!({})).await.unwrap();
    let ambiguous = app.get("/v1/inbox").sign(&ada).send().await.unwrap();
    assert_eq!((ambiguous.status, ambiguous.code().as_str()), (401, "project_ambiguous"));
    let named =
        app.get(&path).header("holdfast-project", &theirs.to_string()).sign(&ada).send().await.unwrap();
    assert_eq!(named.expect::<Value>(200).unwrap()["name"], "Ada, over there");
    let by_key = app.get(&path).key(app.key()).sign(&ada).send().await.unwrap();
    assert_eq!(by_key.expect::<Value>(200).unwrap()["name"], "Ada");
    let contradiction =
        app.get(&path).key(app.key()).header("holdfast-project", &theirs.to_string()).sign(&ada);
    assert_eq!(contradiction.send().await.unwrap().code(), "forbidden");
}

/// A request that changes `agent`, from whichever version it has.
fn patch(app: &TestApp, agent: &str, body: &Value) -> Request {
    let request = app.client().request(Method::PATCH, &format!("/v1/agents/{agent}"));
    request.header("if-match", "*").json(body)
}

#[tokio::test]
async fn a_change_sets_what_it_names_and_null_is_not_absence() {
    let app = TestApp::start().await.unwrap();
    let ada = app.agent("Ada").await.unwrap();
    let sums = json!([{ "description": "sums", "tags": ["maths"], "version": "2" }]);
    let endpoint = "https://ada.example.com/inbox";
    let by_key = async |body: Value| -> Value {
        let reply = patch(&app, ada.did(), &body).key(app.key()).send().await.unwrap();
        let agent: Value = reply.expect(200).unwrap();
        assert_eq!(reply.header("etag"), format!("\"v{}\"", agent["version"]));
        agent
    };
    let first = by_key(json!({ "capabilities": sums, "endpoint": endpoint })).await;
    assert_eq!((&first["name"], &first["capabilities"]), (&json!("Ada"), &sums));
    let named = by_key(json!({ "name": "Ada L." })).await;
    assert_eq!((&named["name"], &named["endpoint"]), (&json!("Ada L."), &json!(endpoint)));
    assert_eq!(named["capabilities"], sums);
    assert_eq!(by_key(json!({})).await, named, "a change that names nothing changes nothing");
    assert_eq!(by_key(json!({ "name": "Ada L." })).await, named, "nor does one to what is there");
    let cleared = by_key(json!({ "endpoint": null, "capabilities": [] })).await;
    assert_eq!((&cleared["endpoint"], &cleared["capabilities"]), (&Value::Null, &json!([])));
    assert_eq!(cleared["name"], "Ada L.");

    // By itself, named by its id, from the version that it saw; and what is read next is that.
    let id = cleared["id"].as_str().unwrap();
    let itself = patch(&app, id, &json!({ "name": "Countess" }));
    let itself = itself.header("if-match", &format!("\"v{}\"", cleared["version"]));
    let changed: Value = itself.clone().sign(&ada).send().await.unwrap().expect(200).unwrap();
    let read = app.get(&format!("/v1/agents/{id}")).key(app.key()).send().await.unwrap();
    assert_eq!(read.expect::<Value>(200).unwrap(), changed);
    let late = itself.sign(&ada).send().await.unwrap();
    assert_eq!((late.status, late.code().as_str()), (412, "version_mismatch"));

    let told = "SELECT count(*) FROM audit_events WHERE action = 'agent.updated'";
    let told: i64 = sqlx::query_scalar(told).fetch_one(app.core().db.pool()).await.unwrap();
    assert_eq!(told, 4, "one event for each change, and none for those that changed nothing");
}

#[tokio::test]
async fn a_change_that_is_refused_changes_nothing() {
    let app = TestApp::start().await.unwrap();
    let (_, their_key) = app.another_project("theirs").await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let find =
        async || app.get(&format!("/v1/agents/{}", ada.did())).key(app.key()).send().await.unwrap().body;
    let before = find().await;
    let rename = patch(&app, ada.did(), &json!({ "name": "Eve" }));
    let refused = async |what: &str, request: Request, status: u16, code: &str| {
        let reply = request.send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what}: {}", reply.json());
        assert_eq!(find().await, before, "{what}");
    };
    refused("by another agent", rename.clone().sign(&bob), 403, "forbidden").await;
    refused("from another project", rename.clone().key(&their_key), 404, "not_found").await;
    refused("without credentials", rename.clone(), 401, "credentials_missing").await;
    let blind = rename.clone().without("if-match").key(app.key());
    refused("of no version", blind, 428, "precondition_required").await;
    let nobody = Identity::generate();
    let unknown = patch(&app, nobody.did(), &json!({ "name": "Eve" })).key(app.key());
    refused("of nobody", unknown, 404, "not_found").await;
    for (what, body, code) in [
        ("no name", json!({ "name": null }), "wrong_type"),
        ("an empty name", json!({ "name": "" }), "too_short"),
        ("an over-long name", json!({ "name": "x".repeat(101) }), "too_long"),
        ("a NUL", json!({ "name": "a\0b" }), "nul_byte"),
        ("no capabilities", json!({ "capabilities": null }), "wrong_type"),
        ("a password in a URL", json!({ "endpoint": "https://u:p@example.com/" }), "invalid_endpoint"),
        ("another scheme", json!({ "endpoint": "file:///etc/passwd" }), "invalid_endpoint"),
        ("another key", json!({ "public_key": nobody.public_key() }), "unknown_field"),
    ] {
        refused(what, patch(&app, ada.did(), &body).key(app.key()), 422, code).await;
    }

    // What was signed once is done once.
    let signed = rename.sign(&ada);
    signed.clone().send().await.unwrap().expect::<Value>(200).unwrap();
    let again = signed.send().await.unwrap();
    assert_eq!((again.status, again.code().as_str()), (409, "nonce_replayed"));
}

/// Look-ups that share a transaction: each caller gets their own answer, from their own project, as
/// it was after they asked.
#[tokio::test]
async fn what_is_asked_at_once_is_answered_to_each() {
    let app = TestApp::start().await.unwrap();
    let (_, their_key) = app.another_project("theirs").await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    register(app.client(), &their_key, &ada, "Ada, over there", json!({})).await.unwrap();
    let nobody = Identity::generate();
    let name = async |agent: &Identity, key: &str| {
        let reply = app.get(&format!("/v1/agents/{}", agent.did())).key(key).send().await.unwrap();
        let body = reply.json();
        body["name"].as_str().map_or_else(|| reply.code(), str::to_owned)
    };
    let writes = async {
        for version in 0..20 {
            let written = format!("Bob {version}");
            register(app.client(), app.key(), &bob, &written, json!({})).await.unwrap();
            assert_eq!(name(&bob, app.key()).await, written);
        }
    };
    let reads = async || {
        for _ in 0..20 {
            assert_eq!(name(&ada, app.key()).await, "Ada");
            assert_eq!(name(&ada, &their_key).await, "Ada, over there");
            assert_eq!(name(&bob, &their_key).await, "not_found");
            assert_eq!(name(&nobody, app.key()).await, "not_found");
            assert!(name(&bob, app.key()).await.starts_with("Bob"));
        }
    };
    tokio::join!(writes, reads(), reads(), reads(), reads(), reads(), reads());
}

/// A DID whose method nobody can check may be claimed in any project, with any key. That must not
/// get in its holder's way.
#[tokio::test]
async fn a_claim_in_another_project_does_not_lock_an_agent_out() {
    let app = TestApp::start().await.unwrap();
    let (_, their_key) = app.another_project("theirs").await.unwrap();
    let (holder, claimant) = (Identity::generate(), Identity::generate());
    let by = |agent: &Identity| {
        let mut signing = testkit::Signing::by(agent, &kernel::Clock::system());
        signing.keyid = Some("did:web:ada.example.com".to_owned());
        signing
    };
    for (agent, key) in [(&claimant, their_key.as_str()), (&holder, app.key())] {
        let body =
            json!({ "did": "did:web:ada.example.com", "public_key": agent.public_key(), "name": "Ada" });
        let made = app.post("/v1/agents").key(key).json(&body).sign_with(by(agent)).send().await.unwrap();
        made.expect::<Value>(201).unwrap();
    }
    app.get("/v1/inbox").sign_with(by(&holder)).send().await.unwrap().expect::<Value>(200).unwrap();
    let neither = app.get("/v1/inbox").sign_with(by(&Identity::generate())).send().await.unwrap();
    assert_eq!((neither.status, neither.code().as_str()), (401, "signature_invalid"));
}
