//! `/mcp`: the protocol, its callers, and the tools.

mod refusals;

use dev::{AppOptions, TestApp};
use serde_json::{Value, json};
use testkit::client::{Reply, Request};

use crate::vault::{app, log, verifies};

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// Returns a message as clients of 2025-11-25 send it.
fn message(app: &TestApp, method: &str, params: &Value) -> Request {
    post(app).json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
}

fn post(app: &TestApp) -> Request {
    let accept = "application/json, text/event-stream";
    app.post("/mcp")
        .header("accept", accept)
        .header("content-type", "application/json")
        .header("mcp-protocol-version", LEGACY)
}

fn call(app: &TestApp, tool: &str, arguments: &Value) -> Request {
    message(app, "tools/call", &json!({"name": tool, "arguments": arguments}))
}

/// Returns the result of a message, which came in JSON.
fn result(reply: &Reply) -> Value {
    assert_eq!(reply.header("content-type"), "application/json", "{}", reply.text());
    let answer: Value = reply.expect(200).unwrap();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(1)), "{answer}");
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

/// Returns the result of a tool, which is there twice.
fn given(reply: &Reply) -> Value {
    let result = result(reply);
    assert_eq!(result["isError"], false, "{result}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    text
}

/// Returns the refusal of a tool.
fn refused(reply: &Reply) -> Value {
    let result = result(reply);
    assert_eq!((&result["isError"], result.get("structuredContent")), (&json!(true), None), "{result}");
    let failure: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(failure["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{failure}");
    assert_eq!(failure["request_id"], reply.header("x-request-id"), "{failure}");
    failure
}

async fn ask(app: &TestApp, tool: &str, arguments: &Value) -> Reply {
    call(app, tool, arguments).key(app.key()).send().await.unwrap()
}

#[tokio::test]
async fn clients_of_either_kind_are_greeted_and_shown_the_tools() {
    let app = app().await;
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client});
    for (asked, served) in
        [(LEGACY, LEGACY), ("2025-06-18", "2025-06-18"), ("2024-11-05", LEGACY), ("2099-01-01", LEGACY)]
    {
        let mut hello = hello.clone();
        hello["protocolVersion"] = json!(asked);
        let reply = message(&app, "initialize", &hello)
            .without("mcp-protocol-version")
            .key(app.key())
            .send()
            .await
            .unwrap();
        let server = result(&reply);
        assert_eq!(
            (&server["protocolVersion"], &server["serverInfo"]["name"]),
            (&json!(served), &json!("holdfast"))
        );
        assert_eq!(server["capabilities"], json!({"tools": {}}));
        assert_eq!(reply.header("mcp-session-id"), "", "no session is kept");
        assert_ne!(reply.header("x-request-id"), "");
    }
    let told = post(&app)
        .json(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        .key(app.key())
        .send();
    assert_eq!(told.await.unwrap().status, 202);
    let listed = result(&message(&app, "tools/list", &json!({})).key(app.key()).send().await.unwrap());
    assert!(!listed.to_string().contains("$ref"), "each schema is whole in itself");
    insta::assert_json_snapshot!("mcp_tools", listed["tools"]);

    // 2026-07-28 has no handshake: each request names its version.
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let modern = |method: &str, mut params: Value| {
        params["_meta"] = meta.clone();
        let request = message(&app, method, &params)
            .header("mcp-protocol-version", MODERN)
            .header("mcp-method", method);
        request.key(app.key())
    };
    let found = result(&modern("server/discover", json!({})).send().await.unwrap());
    assert_eq!(found["supportedVersions"], json!(["2025-06-18", LEGACY, MODERN]), "{found}");
    let again = result(&modern("tools/list", json!({})).send().await.unwrap());
    assert_eq!(again["tools"], listed["tools"]);
    let arguments = json!({"kind": "k", "verdict": "SEAL", "payload": 1});
    let sealed = modern("tools/call", json!({"name": "vault_seal", "arguments": arguments}))
        .header("mcp-name", "vault_seal");
    assert_eq!(given(&sealed.send().await.unwrap())["index"], 0);
    let listening = modern("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}))
        .send()
        .await
        .unwrap();
    assert_eq!(listening.status, 404, "nothing is streamed: {}", listening.text());
}

#[tokio::test]
async fn what_is_sealed_is_found_proved_and_verified() {
    let app = app().await;
    let wanted = json!({
        "kind": "payment.decision", "verdict": "ALLOW", "payload": {"b": 1.50, "a": ["x", null]},
        "session_id": "run 7", "subject": "customer-9", "tags": ["eu"], "personal": {"name": "Ada"},
        "expected_size": 0,
    });
    let sealed = given(&ask(&app, "vault_seal", &wanted).await);
    assert_eq!((&sealed["index"], &sealed["size"]), (&json!(0), &json!(1)));
    assert_eq!(log(&app).await["checkpoint"], sealed["checkpoint"]);
    for n in 1..4 {
        given(&ask(&app, "vault_seal", &json!({"kind": "other", "verdict": "SEAL", "payload": n})).await);
    }
    let over_http: Value =
        app.get("/v1/vault/seals/0").key(app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(over_http["personal"]["value"], json!({"name": "Ada"}));

    let found = given(&ask(&app, "vault_query", &json!({"tag": "eu", "verdict": "ALLOW"})).await);
    assert_eq!((found["data"].as_array().unwrap().len(), &found["next_cursor"]), (1, &Value::Null));
    assert_eq!(
        (&found["data"][0]["payload"], &found["data"][0]["leaf_hash"]),
        (&json!({"a": ["x", null], "b": 1.5}), &sealed["leaf_hash"])
    );
    assert!(!found.to_string().contains("Ada"));
    let mut seen = Vec::new();
    let mut arguments = json!({"limit": 3});
    loop {
        let page = given(&ask(&app, "vault_query", &arguments).await);
        seen.extend(page["data"].as_array().unwrap().iter().map(|seal| seal["index"].as_u64().unwrap()));
        if page["next_cursor"].is_null() {
            break;
        }
        arguments["cursor"] = page["next_cursor"].clone();
    }
    assert_eq!(seen, [3, 2, 1, 0]);

    let receipt = given(&ask(&app, "vault_receipt", &json!({"index": 0})).await);
    let text = receipt["receipt"].as_str().unwrap();
    assert_eq!(verifies(&app, text).await, Ok(4));
    let verified = given(&ask(&app, "vault_verify", &json!({"receipt": text})).await);
    assert_eq!(
        (&verified["valid"], &verified["index"], &verified["size"]),
        (&json!(true), &json!(0), &json!(4))
    );
    let changed =
        given(&ask(&app, "vault_verify", &json!({"receipt": text.replace("index 0", "index 1")})).await);
    assert_eq!((&changed["valid"], &changed["flaw"]), (&json!(false), &json!("proof")));
}

#[tokio::test]
async fn a_call_that_comes_twice_with_its_key_is_sealed_once() {
    let mut app = app().await;
    let other = app.another_api().await.unwrap();
    let arguments =
        json!({"kind": "k", "verdict": "SEAL", "payload": {"a": 1, "b": 2}, "idempotency_key": "once"});
    let first = ask(&app, "vault_seal", &arguments).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    given(&ask(&app, "vault_seal", &json!({"kind": "k", "verdict": "SEAL", "payload": 3})).await);
    // As another message, with its members in another order, on another replica.
    let body = r#"{"id":1,"jsonrpc":"2.0","method":"tools/call","params":{"arguments":
        {"idempotency_key":"once", "verdict":"SEAL", "payload":{"b":2,"a":1.0}, "kind":"k"},
        "name":"vault_seal","_meta":{"n":2}}}"#;
    for request in [post(&app), other.post("/mcp").header("content-type", "application/json")] {
        let again = request.body(body).key(app.key()).send().await.unwrap();
        assert_eq!((given(&again), again.header("idempotency-replayed")), (given(&first), "true"));
    }
    // The key is stored with those of the routes, and each caller has its own.
    let seal = json!({"kind": "k", "verdict": "SEAL", "payload": {"a": 1, "b": 2}});
    let over_http =
        app.post("/v1/vault/seals").key(app.key()).json(&seal).header("idempotency-key", "once").send();
    assert_eq!(over_http.await.unwrap().code(), "idempotency_key_reused");
    let mut changed = arguments.clone();
    changed["payload"]["a"] = json!(2);
    assert_eq!(refused(&ask(&app, "vault_seal", &changed).await)["code"], "idempotency_key_reused");
    assert_eq!(log(&app).await["size"], 2);
    let agent = app.agent("notary").await.unwrap();
    let theirs = call(&app, "vault_seal", &arguments).sign(&agent).send().await.unwrap();
    assert_eq!(given(&theirs)["index"], 2);
}

#[tokio::test]
async fn an_agent_calls_by_its_signature_and_seals_once_by_each() {
    let app = app().await;
    let agent = app.agent("notary").await.unwrap();
    let seal = json!({"kind": "k", "verdict": "SEAL", "payload": 1});
    let request = call(&app, "vault_seal", &seal).sign(&agent);
    let replies = futures::future::join_all((0..4).map(|_| request.clone().send())).await;
    let replies: Vec<Reply> = replies.into_iter().map(Result::unwrap).collect();
    let (sealed, replays): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| result(reply)["isError"] == false);
    assert_eq!(sealed.len(), 1);
    assert!(replays.into_iter().all(|reply| refused(reply)["code"] == "nonce_replayed"));
    assert_eq!(log(&app).await["size"], 1);

    // Reading consumes nothing, as with GET.
    let query = call(&app, "vault_query", &json!({})).sign(&agent);
    for _ in 0..2 {
        let found = given(&query.clone().send().await.unwrap());
        assert!(found["data"][0]["actor"].as_str().unwrap().starts_with("agt_"), "{found}");
    }
    let tampered = call(&app, "vault_seal", &seal)
        .sign(&agent)
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert_eq!(tampered.send().await.unwrap().code(), "digest_mismatch");
}

/// Starts an app with variables of the test's own.
async fn with(variables: &[(&'static str, &str)]) -> TestApp {
    let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    TestApp::start_with(AppOptions { variables, worker: false, ..Default::default() }).await.unwrap()
}
