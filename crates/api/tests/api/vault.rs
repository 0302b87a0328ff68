//! `/v1/vault`: sealing, finding and proving.

mod audit;
mod behind;
mod erasure;
mod fsck;
mod logs;
mod proposals;
mod rewrap;
mod witnesses;

use dev::{AppOptions, TestApp};
use kernel::Code;
use serde_json::{Value, json};
use testkit::Identity;
use vault::{
    VaultKeyRing,
    format::receipt::{Flaw, Receipt},
};

pub async fn app() -> TestApp {
    TestApp::start_with(AppOptions { worker: false, ..Default::default() }).await.unwrap()
}

pub fn seal(n: usize) -> Value {
    json!({ "kind": "test.case", "verdict": "SEAL", "payload": { "n": n } })
}

/// Makes a seal. Returns the answer.
pub async fn sealed(app: &TestApp, seal: &Value) -> Value {
    app.post("/v1/vault/seals").key(app.key()).json(seal).send().await.unwrap().expect(201).unwrap()
}

/// Makes `count` seals in batches.
pub async fn fill(app: &TestApp, count: usize) {
    let seals: Vec<Value> = (0..count).map(seal).collect();
    for seals in seals.chunks(700) {
        let batch = app.post("/v1/vault/seals/batch").key(app.key()).json(&json!({ "seals": seals })).send();
        batch.await.unwrap().expect::<Value>(201).unwrap();
    }
}

pub async fn receipt(app: &TestApp, index: u64) -> String {
    let reply = app.get(&format!("/v1/vault/seals/{index}/receipt")).key(app.key()).send().await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text()
}

pub async fn log(app: &TestApp) -> Value {
    app.get("/v1/vault/log").key(app.key()).send().await.unwrap().expect(200).unwrap()
}

fn strings(array: &Value) -> Vec<String> {
    array.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Verifies the receipt offline, under the keys that the log names.
pub async fn verifies(app: &TestApp, text: &str) -> Result<u64, Flaw> {
    let log = log(app).await;
    Receipt::parse(text)?.verify(log["origin"].as_str().unwrap(), &strings(&log["keys"]))
}

#[tokio::test]
async fn a_seal_is_answered_with_what_proves_it_and_is_found_again() {
    let app = app().await;
    let wanted = json!({
        "kind": "payment.decision", "verdict": "ALLOW", "payload": {"b": 1.50, "a": ["x", null]},
        "session_id": "run 7", "subject": "customer-9", "tags": ["eu", "card"],
    });
    let made = app.post("/v1/vault/seals").key(app.key()).json(&wanted).send().await.unwrap();
    let answer: Value = made.expect(201).unwrap();
    assert_eq!(
        (&answer["index"], &answer["size"], &answer["inclusion_proof"]),
        (&json!(0), &json!(1), &json!([]))
    );
    assert_eq!(made.header("location"), "/v1/vault/seals/0");
    assert_eq!(log(&app).await["checkpoint"], answer["checkpoint"]);

    let found: Value = app.get("/v1/vault/seals/0").key(app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(found["payload"], json!({"a": ["x", null], "b": 1.5}));
    for name in ["kind", "verdict", "session_id", "subject", "tags"] {
        assert_eq!(found[name], wanted[name]);
    }
    assert_eq!((&found["leaf_hash"], &found["at"]), (&answer["leaf_hash"], &answer["at"]));
    assert!(found["actor"].as_str().unwrap().starts_with("key_"));

    for n in 1..6 {
        sealed(&app, &seal(n)).await;
    }
    let text = receipt(&app, 0).await;
    assert_eq!(verifies(&app, &text).await, Ok(6));
    let parsed = Receipt::parse(&text).unwrap();
    let entry: Value = serde_json::from_slice(parsed.entry.as_ref().unwrap()).unwrap();
    assert_eq!((&entry["payload"], &entry["at"]), (&found["payload"], &answer["at"]));
    assert_eq!(app.get("/v1/vault/seals/6").key(app.key()).send().await.unwrap().code(), "not_found");
    assert_eq!(app.get("/v1/vault/seals/6/receipt").key(app.key()).send().await.unwrap().code(), "not_found");
}

#[tokio::test]
async fn seals_are_filtered_paged_and_counted() {
    let app = app().await;
    let start = app.core().clock.now();
    for n in 0..7 {
        let verdict = if n % 3 == 0 { "DENY" } else { "SEAL" };
        let tags = if n % 2 == 0 { json!(["even"]) } else { json!([]) };
        let session = format!("run {}", n / 4);
        let seal = json!({
            "kind": format!("kind.{}", n % 2), "verdict": verdict, "payload": n, "tags": tags,
            "session_id": session, "subject": "s",
        });
        sealed(&app, &seal).await;
    }
    let indexes = async |query: String| -> Vec<u64> {
        let page: Value = app
            .get(&format!("/v1/vault/seals?{query}"))
            .key(app.key())
            .send()
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        page["data"].as_array().unwrap().iter().map(|seal| seal["index"].as_u64().unwrap()).collect()
    };
    for (query, wanted) in [
        ("kind=kind.1", vec![5, 3, 1]),
        ("verdict=DENY", vec![6, 3, 0]),
        ("tag=even", vec![6, 4, 2, 0]),
        ("tag=even&kind=kind.1", vec![]),
        ("session_id=run%201&tag=even", vec![6, 4]),
        ("subject=s&limit=2", vec![6, 5]),
        ("actor=system", vec![]),
        ("verdict=SEAL&limit=200", vec![5, 4, 2, 1]),
    ] {
        assert_eq!(indexes(query.to_owned()).await, wanted, "{query}");
    }
    let third: Value = app.get("/v1/vault/seals/3").key(app.key()).send().await.unwrap().expect(200).unwrap();
    let at = third["at"].as_str().unwrap();
    assert_eq!(indexes(format!("from={at}&kind=kind.1")).await, [5, 3]);
    assert_eq!(indexes(format!("to={at}")).await, [2, 1, 0]);
    assert_eq!(indexes(format!("to={}", start.format("%Y-%m-%dT%H:%M:%SZ"))).await, [0_u64; 0]);

    let counts = async |query: &str| -> Value {
        app.get(&format!("/v1/vault/seals/counts{query}"))
            .key(app.key())
            .send()
            .await
            .unwrap()
            .expect(200)
            .unwrap()
    };
    assert_eq!(counts("").await, json!({"verdicts": {"SEAL": 4, "DENY": 3}, "total": 7, "complete": true}));
    assert_eq!(
        counts("?tag=even").await,
        json!({"verdicts": {"SEAL": 2, "DENY": 2}, "total": 4, "complete": true})
    );

    let mut seen = Vec::new();
    let mut path = "/v1/vault/seals?subject=s&limit=3".to_owned();
    loop {
        let reply = app.get(&path).key(app.key()).send().await.unwrap();
        let page: Value = reply.expect(200).unwrap();
        seen.extend(page["data"].as_array().unwrap().iter().map(|seal| seal["index"].as_u64().unwrap()));
        sealed(&app, &seal(9)).await;
        if page["next_cursor"].is_null() {
            break;
        }
        let link = reply.header("link").to_owned();
        path = link[1..link.find('>').unwrap()].to_owned();
        assert!(path.contains("subject=s") && path.contains("limit=3"), "{path}");
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn a_batch_is_whole_or_not_at_all() {
    let app = app().await;
    let post = async |body: &Value| {
        app.post("/v1/vault/seals/batch").key(app.key()).json(body).send().await.unwrap()
    };
    let answer: Value =
        post(&json!({"seals": (0..300).map(seal).collect::<Vec<_>>()})).await.expect(201).unwrap();
    let seals = answer["seals"].as_array().unwrap();
    assert_eq!((seals.len(), &answer["size"]), (300, &json!(300)));
    assert!(seals.iter().enumerate().all(|(n, seal)| seal["index"] == n));

    let mut bad: Vec<Value> = (0..3).map(seal).collect();
    bad[1]["kind"] = json!("");
    let refused = post(&json!({"seals": bad})).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "too_short"));
    assert!(refused.text().contains("/seals/1/kind"), "{}", refused.text());
    // The faults of all seals are reported, but not a thousand of them.
    bad[2]["tags"] = json!(["t", "t"]);
    bad[2]["expected_size"] = json!(1);
    let pointers = |reply: testkit::client::Reply| -> Vec<String> {
        let errors = reply.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    let wanted = ["/seals/1/kind", "/seals/2/expected_size", "/seals/2/tags/1"];
    assert_eq!(pointers(post(&json!({"seals": bad})).await), wanted);
    let all = vec![bad[1].clone(); 1_000];
    assert_eq!(pointers(post(&json!({"seals": all})).await).len(), 100);
    for body in [json!({"seals": []}), json!({"seals": (0..1001).map(seal).collect::<Vec<_>>()})] {
        assert_eq!(post(&body).await.code(), "out_of_range");
    }
    let mut one = seal(0);
    one["expected_size"] = json!(300);
    assert_eq!(post(&json!({"seals": [one]})).await.code(), "validation_failed");
    assert_eq!(log(&app).await["size"], 300);
}

#[tokio::test]
async fn an_expected_size_makes_it_conditional() {
    let app = app().await;
    let with =
        |expected: u64| json!({"kind": "k", "verdict": "SEAL", "payload": 1, "expected_size": expected});
    assert_eq!(sealed(&app, &with(0)).await["index"], 0);
    let refused = app.post("/v1/vault/seals").key(app.key()).json(&with(0)).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "size_mismatch"));
    assert!(refused.text().contains("the log has 1 entries"), "{}", refused.text());
    // If many expect the same size, one succeeds.
    let both = futures::future::join_all((0..20).map(|_| {
        let request = app.post("/v1/vault/seals").key(app.key()).json(&with(1)).send();
        async { request.await.unwrap().status }
    }));
    let statuses = both.await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(log(&app).await["size"], 2);
}

#[tokio::test]
async fn a_request_that_comes_twice_is_sealed_once() {
    let mut app = app().await;
    let other = app.another_api().await.unwrap();
    let send =
        || app.post("/v1/vault/seals").key(app.key()).json(&seal(1)).header("idempotency-key", "once").send();
    let replies = futures::future::join_all((0..8).map(|_| send())).await;
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert!(made >= 1 && replies.iter().all(|reply| [201, 409].contains(&reply.status)));
    sealed(&app, &seal(2)).await;
    // A repeat, also to another replica, gets the first answer to the byte, though the log has
    // grown.
    let first = replies.iter().find(|reply| reply.status == 201).unwrap();
    for client in [app.client(), &other] {
        let request =
            client.post("/v1/vault/seals").key(app.key()).json(&seal(1)).header("idempotency-key", "once");
        let again = request.send().await.unwrap();
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    let reused =
        app.post("/v1/vault/seals").key(app.key()).json(&seal(3)).header("idempotency-key", "once").send();
    assert_eq!(reused.await.unwrap().code(), "idempotency_key_reused");
    assert_eq!(log(&app).await["size"], 2);
}

#[tokio::test]
async fn an_agent_seals_by_its_signature_and_never_twice() {
    let app = app().await;
    let agent = app.agent("notary").await.unwrap();
    let signed = app.post("/v1/vault/seals").json(&seal(1)).sign(&agent);
    let answer: Value = signed.clone().send().await.unwrap().expect(201).unwrap();
    let seal_of = app.get(&format!("/v1/vault/seals/{}", answer["index"])).sign(&agent).send().await.unwrap();
    assert!(seal_of.expect::<Value>(200).unwrap()["actor"].as_str().unwrap().starts_with("agt_"));

    let request = app.post("/v1/vault/seals").json(&seal(2)).sign(&agent);
    let replies = futures::future::join_all((0..5).map(|_| request.clone().send())).await;
    let mut statuses: Vec<u16> = replies.into_iter().map(|reply| reply.unwrap().status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409]);
    assert_eq!(log(&app).await["size"], 2);
    let stranger =
        app.post("/v1/vault/seals").json(&seal(1)).sign(&Identity::generate()).send().await.unwrap();
    assert_eq!(stranger.status, 401);
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_and_nothing_is_written() {
    let app = app().await;
    let body = |payload: &str| format!(r#"{{"kind":"k","verdict":"SEAL","payload":{payload}}}"#);
    let large = format!("\"{}\"", "x".repeat(48 * 1024));
    for (body, status, code) in [
        (body(r#"{"a":1,"a":2}"#), 422, Code::AmbiguousJson),
        (body("9007199254740993"), 422, Code::AmbiguousJson),
        (body("-9007199254740992"), 422, Code::AmbiguousJson),
        (body(&format!("{}1{}", "[".repeat(33), "]".repeat(33))), 422, Code::AmbiguousJson),
        (body(&large), 422, Code::TooLong),
        (body("NaN"), 400, Code::MalformedJson),
        (body("1").replace("SEAL", "MAYBE"), 422, Code::WrongType),
        (body("1").replace("\"kind\":\"k\"", "\"kind\":\"k\",\"kind\":\"l\""), 400, Code::MalformedJson),
        (body("1").replace('}', ",\"extra\":1}"), 422, Code::UnknownField),
        (body(&"\"x\"".repeat(60_000)), 413, Code::PayloadTooLarge),
    ] {
        let reply = app
            .post("/v1/vault/seals")
            .key(app.key())
            .header("content-type", "application/json")
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code.as_str()),
            "{}",
            &body[..body.len().min(100)]
        );
    }
    let not_text = [b"{\"kind\":\"k\",\"verdict\":\"SEAL\",\"payload\":\"".as_slice(), b"\xff\"}"].concat();
    let reply = app
        .post("/v1/vault/seals")
        .key(app.key())
        .header("content-type", "application/json")
        .body(not_text)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status, 400);
    assert_eq!(log(&app).await["size"], 0);
}

#[tokio::test]
async fn scopes_projects_and_people_are_kept_apart() {
    let app = app().await;
    sealed(&app, &seal(1)).await;
    let (_, other) = app.another_project("Other").await.unwrap();
    let foreign = app.get("/v1/vault/seals/0").key(&other).send().await.unwrap();
    assert_eq!(foreign.code(), "not_found");
    let anonymous = app.get("/v1/vault/seals").send().await.unwrap();
    assert_eq!(anonymous.status, 401);
    let narrow = json!({"name": "n", "scopes": ["vault:read"]});
    let key = app
        .post(&format!("/v1/projects/{}/keys", app.project()))
        .key(app.key())
        .json(&narrow)
        .send()
        .await
        .unwrap();
    let key: Value = key.expect(201).unwrap();
    let refused =
        app.post("/v1/vault/seals").key(key["key"].as_str().unwrap()).json(&seal(2)).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (403, "permission_missing"));
    // A caller without the permission learns that, and not what else is wrong.
    let bad = json!({"kind": "", "verdict": "SEAL", "payload": 1});
    for (path, body) in [("/v1/vault/seals", bad.clone()), ("/v1/vault/seals/batch", json!({"seals": [bad]}))]
    {
        let refused = app.post(path).key(key["key"].as_str().unwrap()).json(&body).send().await.unwrap();
        assert_eq!(refused.code(), "permission_missing", "{path}");
    }
}

#[tokio::test]
async fn after_a_rotation_old_and_new_keys_verify() {
    let app = app().await;
    fill(&app, 3).await;
    let before = receipt(&app, 1).await;
    let old = app.variable("VAULT_SIGNING_KEY").unwrap().to_owned();
    let both = format!("{old},{}", VaultKeyRing::generate(&app.core().ids).reveal());
    let rotated = app.api_with("VAULT_SIGNING_KEY", &both).await.unwrap();
    let after = rotated.get("/v1/vault/seals/1/receipt").key(app.key()).send().await.unwrap().text();
    let log: Value = rotated.get("/v1/vault/log").key(app.key()).send().await.unwrap().expect(200).unwrap();
    let (origin, keys) = (log["origin"].as_str().unwrap(), strings(&log["keys"]));
    assert_eq!(keys.len(), 2);
    for key in &keys {
        assert_eq!(Receipt::parse(&after).unwrap().verify(origin, std::slice::from_ref(key)), Ok(3));
    }
    assert_eq!(Receipt::parse(&before).unwrap().verify(origin, &keys), Ok(3));
}
