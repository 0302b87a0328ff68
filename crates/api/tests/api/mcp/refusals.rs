//! Refusals of callers and of messages.

use kernel::{Code, caller::Role};
use reqwest::Method;
use serde_json::{Value, json};

use super::{app, ask, call, given, message, post, refused, result, with};
use crate::{people::Company, vault::log};

#[tokio::test]
async fn who_proves_nothing_hears_it_as_on_any_route() {
    let app = app().await;
    for (request, code) in [
        (call(&app, "vault_query", &json!({})), "credentials_missing"),
        (call(&app, "vault_query", &json!({})).key(&crate::harness::unknown_api_key()), "api_key_invalid"),
        (call(&app, "vault_query", &json!({})).sign(&testkit::Identity::generate()), "agent_unknown"),
        (message(&app, "initialize", &json!({})), "credentials_missing"),
    ] {
        let reply = request.send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (401, code));
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.header("www-authenticate"), "Bearer, Signature");
        assert_ne!(reply.header("accept-signature"), "");
    }
}

#[tokio::test]
async fn permissions_and_projects_are_kept_apart() {
    let app = app().await;
    let seal = json!({"kind": "k", "verdict": "SEAL", "payload": 1});
    given(&ask(&app, "vault_seal", &seal).await);
    let draft = json!({"name": "n", "scopes": ["vault:read"]});
    let made = app
        .post(&format!("/v1/projects/{}/keys", app.project()))
        .key(app.key())
        .json(&draft)
        .send()
        .await
        .unwrap();
    let reader: Value = made.expect(201).unwrap();
    let reader = reader["key"].as_str().unwrap();
    let lacking = refused(&call(&app, "vault_seal", &seal).key(reader).send().await.unwrap());
    assert_eq!(lacking["code"], "permission_missing");
    assert!(lacking["detail"].as_str().unwrap().contains("`vault:write`"), "{lacking}");
    given(&call(&app, "vault_query", &json!({})).key(reader).send().await.unwrap());

    let (project, other) = app.another_project("Other").await.unwrap();
    let theirs = given(&call(&app, "vault_query", &json!({})).key(&other).send().await.unwrap());
    assert_eq!(theirs["data"], json!([]));
    assert_eq!(
        refused(&call(&app, "vault_receipt", &json!({"index": 0})).key(&other).send().await.unwrap())["code"],
        "not_found"
    );
    let named =
        call(&app, "vault_query", &json!({})).key(app.key()).header("holdfast-project", &project.to_string());
    let named = named.send().await.unwrap();
    assert_eq!((named.status, named.code().as_str()), (404, "not_found"));
    assert_eq!(log(&app).await["size"], 1);
}

#[tokio::test]
async fn a_person_names_the_project_they_mean() {
    let company = Company::start().await;
    let member = company.member(Role::ReadOnly).await;
    let ask = |token: &str| call(&company.app, "vault_query", &json!({})).key(token);
    let unnamed = ask(&member.token).send().await.unwrap();
    assert_eq!((unnamed.status, unnamed.code().as_str()), (400, "project_missing"));
    let named = ask(&member.token)
        .header("holdfast-project", &company.app.project().to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(given(&named)["data"], json!([]));
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_and_nothing_is_sealed() {
    let app = app().await;
    let send = async |arguments: &str| {
        let params = format!(r#"{{"name":"vault_seal","arguments":{arguments}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        post(&app).body(body).key(app.key()).send().await.unwrap()
    };
    let payload = |payload: &str| format!(r#"{{"kind":"k","verdict":"SEAL","payload":{payload}}}"#);
    for (arguments, code) in [
        (payload(r#"{"a":1,"a":2}"#), Code::AmbiguousJson),
        (payload(r#"{"x":[{"a":1,"\u0061":2}]}"#), Code::AmbiguousJson),
        (payload("9007199254740993"), Code::AmbiguousJson),
        (payload("1e999"), Code::AmbiguousJson),
        (payload(&format!("{}1{}", "[".repeat(200), "]".repeat(200))), Code::AmbiguousJson),
        (payload(&format!("\"{}\"", "x".repeat(48 * 1024))), Code::TooLong),
        (payload("1").replace('}', r#","personal":{"b":1,"b":2},"subject":"s"}"#), Code::AmbiguousJson),
        (payload("1").replace('}', r#","kind":"l"}"#), Code::MalformedJson),
        (payload("1").replace('}', r#","extra":1}"#), Code::UnknownField),
        (payload("1").replace('}', r#","idempotency_key":"two words"}"#), Code::ValidationFailed),
        (payload("1").replace('}', r#","expected_size":7}"#), Code::SizeMismatch),
        (payload("1").replace("SEAL", "MAYBE"), Code::WrongType),
        (payload("1").replace("\"k\"", "\"\""), Code::TooShort),
        ("{}".to_owned(), Code::MissingField),
        ("[]".to_owned(), Code::WrongType),
        ("null".to_owned(), Code::WrongType),
    ] {
        let failure = refused(&send(&arguments).await);
        assert_eq!(failure["code"], code.as_str(), "{}: {failure}", &arguments[..arguments.len().min(100)]);
    }
    // A message in which two readers would see two calls is refused as well.
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"vault_seal",
        "arguments":{},"arguments":{"kind":"k","verdict":"SEAL","payload":1}}}"#;
    let reply = post(&app).body(twice).key(app.key()).send().await.unwrap();
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!(-32602)), "{}", reply.text());
    assert_eq!(log(&app).await["size"], 0);
}

#[tokio::test]
async fn arguments_of_the_other_tools_are_checked() {
    let app = app().await;
    for (tool, arguments, code) in [
        ("vault_query", json!({"limit": 51}), "out_of_range"),
        ("vault_query", json!({"limit": 0}), "out_of_range"),
        ("vault_query", json!({"limit": "many"}), "wrong_type"),
        ("vault_query", json!({"cursor": "AAAA"}), "invalid_cursor"),
        ("vault_query", json!({"colour": "red"}), "unknown_field"),
        ("vault_query", json!({"kind": "a\0b"}), "nul_byte"),
        ("vault_receipt", json!({}), "missing_field"),
        ("vault_receipt", json!({"index": -1}), "wrong_type"),
        ("vault_receipt", json!({"index": 0}), "not_found"),
        ("vault_receipt", json!({"index": u64::MAX}), "not_found"),
        ("vault_verify", json!({"receipt": 7}), "wrong_type"),
        ("vault_verify", json!({"receipt": ""}), "too_short"),
    ] {
        assert_eq!(refused(&ask(&app, tool, &arguments).await)["code"], code, "{tool} {arguments}");
    }
    assert_eq!(given(&ask(&app, "vault_verify", &json!({"receipt": "x"})).await)["flaw"], "malformed");
}

#[tokio::test]
async fn messages_that_are_none_are_refused_by_json_rpcs_rules() {
    let app = app().await;
    let one = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let many: Vec<_> = (0..1000).map(|_| one.clone()).collect();
    for (body, status, code) in [
        (json!(many).to_string(), 400, -32600),
        (json!([one]).to_string(), 400, -32600),
        ("{".to_owned(), 400, -32700),
        (String::new(), 400, -32700),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}"#.to_owned(), 400, -32700),
        (r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#.to_owned(), 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(), 400, -32600),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"vault_drop"}}"#.to_owned(),
            200,
            -32602,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#.to_owned(), 200, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list"}"#.to_owned(), 200, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#.to_owned(), 200, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/templates/list"}"#.to_owned(), 200, -32601),
    ] {
        let reply = post(&app).body(body.clone()).key(app.key()).send().await.unwrap();
        let shown = &body[..body.len().min(80)];
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (status, &json!(code)),
            "{shown}: {}",
            reply.text()
        );
        assert_eq!(reply.header("content-type"), "application/json", "{shown}");
        assert_eq!(reply.header("cache-control"), "no-store", "{shown}");
    }
    let list = || message(&app, "tools/list", &json!({})).key(app.key());
    for (request, status, code) in [
        (list().header("content-type", "text/plain"), 415, "unsupported_media_type"),
        (list().header("mcp-protocol-version", "1999-01-01"), 400, "malformed_request"),
        (list().header("idempotency-key", "x"), 400, "malformed_request"),
        (list().body(vec![b' '; 256 * 1024 + 1]), 413, "payload_too_large"),
    ] {
        let reply = request.send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
    }
    // The answer is always JSON, whatever the client accepts.
    for accept in ["application/json", "*/*", "text/event-stream"] {
        assert_eq!(
            result(&list().header("accept", accept).send().await.unwrap())["tools"].as_array().unwrap().len(),
            4
        );
    }
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let reply = app
            .client()
            .request(method, "/mcp")
            .key(app.key())
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str(), reply.header("allow")),
            (405, "method_not_allowed", "POST")
        );
    }
}

#[tokio::test]
async fn names_and_pages_that_are_not_ours_are_refused() {
    let app =
        with(&[("CORS_ORIGINS", "https://app.example.com"), ("APP_URL", "http://localhost:3000")]).await;
    let list = || message(&app, "tools/list", &json!({})).key(app.key());
    let own = app.url().origin().ascii_serialization();
    for (name, value, status) in [
        ("host", "localhost:1234", 200),
        ("host", "evil.example", 403),
        ("host", "127.0.0.1.evil.example", 403),
        ("origin", "https://app.example.com", 200),
        ("origin", "http://localhost:3000", 200),
        ("origin", own.as_str(), 200),
        ("origin", "https://app.example.com:8443", 403),
        ("origin", "http://app.example.com", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
    ] {
        let reply = list().header(name, value).send().await.unwrap();
        assert_eq!(reply.status, status, "{name}: {value}: {}", reply.text());
        assert!(status == 200 || reply.code() == "origin_refused", "{name}: {value}");
    }
    let app = with(&[("CORS_ORIGINS", "*")]).await;
    let anybody =
        message(&app, "tools/list", &json!({})).key(app.key()).header("origin", "https://any.example").send();
    assert_eq!(anybody.await.unwrap().status, 200);

    let deployed = [("PUBLIC_URL", "https://api.example.com"), ("ENVIRONMENT", "staging")];
    let app = with(&deployed).await;
    let list = || message(&app, "tools/list", &json!({})).key(app.key());
    assert_eq!(list().header("host", "api.example.com").send().await.unwrap().status, 200);
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(list().header("host", host).send().await.unwrap().status, 403, "{host}");
    }
}

#[tokio::test]
async fn calls_are_counted_for_whom_they_come_from() {
    let app = with(&[("RATE_LIMIT_PER_MINUTE", "3")]).await;
    for left in [2, 1, 0] {
        let reply = ask(&app, "vault_query", &json!({})).await;
        given(&reply);
        assert!(
            reply.header("ratelimit").starts_with(&format!("\"default\";r={left};")),
            "{}",
            reply.header("ratelimit")
        );
    }
    let reply = ask(&app, "vault_query", &json!({})).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "rate_limited"));
    assert_ne!(reply.header("retry-after"), "");
}
