//! `/v1/intents`: accepted in one commit, provable by the recipient.

use base64::{Engine, engine::general_purpose::STANDARD};
use dev::TestApp;
use serde_json::{Value, json};
use testkit::{Identity, sign};

/// Returns the number of rows in each table that accepting an intent writes.
async fn rows(app: &TestApp) -> [i64; 5] {
    let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM intents), (SELECT count(*) FROM deliveries), \
                (SELECT count(*) FROM jobs WHERE kind = 'intents.deliver'), \
                (SELECT count(*) FROM audit_events WHERE action = 'intent.accepted'), \
                (SELECT count(*) FROM signature_nonces)",
    )
    .fetch_one(app.core().db.pool())
    .await
    .unwrap();
    counts.into()
}

fn intent(to: &Identity) -> Value {
    json!({ "to": to.did(), "type": "greeting", "payload": { "text": "hello" } })
}

/// Starts an app without a worker, so that nothing takes the job away.
async fn still() -> TestApp {
    TestApp::start_with(dev::AppOptions { worker: false, ..Default::default() }).await.unwrap()
}

#[tokio::test]
async fn an_intent_its_delivery_its_job_and_its_audit_row_are_one_commit() {
    let app = still().await;
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let before = rows(&app).await;
    let sent = app.post("/v1/intents").json(&intent(&bob)).sign(&ada).send().await.unwrap();
    let accepted: Value = sent.expect(202).unwrap();
    assert_eq!(sent.header("location"), format!("/v1/intents/{}", accepted["id"].as_str().unwrap()));
    assert_eq!(rows(&app).await, before.map(|count| count + 1));

    // Each table in turn refuses its row. Then no other table has one, and the sender was not told
    // that the intent was accepted.
    for table in ["intents", "deliveries", "jobs", "audit_events", "signature_nonces"] {
        let trigger = format!(
            "CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql \
                 AS $$ BEGIN RAISE 'refused by the test'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_{table}()"
        );
        let pool = app.core().db.pool();
        sqlx::raw_sql(sqlx::AssertSqlSafe(trigger)).execute(pool).await.unwrap();
        let before = rows(&app).await;
        let refused = app.post("/v1/intents").json(&intent(&bob)).sign(&ada).send().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (500, "internal"), "{table}");
        assert!(
            !String::from_utf8_lossy(&refused.body).contains("refused by the test"),
            "the cause reached the caller"
        );
        assert_eq!(rows(&app).await, before, "{table} refused its row, and yet another was written");
        let undo = format!("DROP TRIGGER refuse ON {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(undo)).execute(pool).await.unwrap();
    }
}

#[tokio::test]
async fn the_recipient_can_verify_the_sender_itself() {
    let app = still().await;
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    // Spaces, a number that no float holds and a NUL: the intent arrives as it was sent, byte for
    // byte.
    let body = format!(
        r#"{{ "to":"{}", "type":"greeting","payload": {{"n":9007199254740993,  "z":"\u0000"}} }}"#,
        bob.did()
    );
    let sent = app
        .post("/v1/intents")
        .body(body.clone())
        .header("content-type", "application/json")
        .sign(&ada)
        .send()
        .await
        .unwrap();
    sent.expect::<Value>(202).unwrap();

    let inbox = app.get("/v1/inbox").sign(&bob).send().await.unwrap();
    assert!(String::from_utf8_lossy(&inbox.body).contains(r#"{"n":9007199254740993,  "z":"\u0000"}"#));
    let inbox: Value = inbox.expect(200).unwrap();
    let (delivery, envelope) = (&inbox["data"][0], &inbox["data"][0]["envelope"]);
    let (base, signature) =
        (envelope["signature_base"].as_str().unwrap(), envelope["signature"].as_str().unwrap());
    assert_eq!(delivery["intent"]["from"], ada.did());
    assert!(sign::verifies(ada.did(), base.as_bytes(), signature).unwrap());
    assert!(!sign::verifies(bob.did(), base.as_bytes(), signature).unwrap());
    assert!(!sign::verifies(ada.did(), base.replace("POST", "PUT").as_bytes(), signature).unwrap());
    let received = STANDARD.decode(envelope["body"].as_str().unwrap()).unwrap();
    assert_eq!(received, body.as_bytes());
    assert!(base.contains(&sign::content_digest(&received)));
}

#[tokio::test]
async fn of_the_agents_only_sender_and_recipient_see_an_intent() {
    let app = still().await;
    let agents =
        [app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap(), app.agent("Eve").await.unwrap()];
    let [ada, bob, eve] = &agents;
    let sent = app
        .post("/v1/intents")
        .json(&intent(bob))
        .sign(ada)
        .send()
        .await
        .unwrap()
        .expect::<Value>(202)
        .unwrap();
    let path = format!("/v1/intents/{}", sent["id"].as_str().unwrap());
    for reader in [ada, bob] {
        let seen: Value = app.get(&path).sign(reader).send().await.unwrap().expect(200).unwrap();
        assert_eq!(
            (&seen["state"], &seen["attempts"], &seen["settled_at"]),
            (&json!("accepted"), &json!(0), &json!(null))
        );
        assert_eq!(
            (&seen["from"], &seen["to"], &seen["payload"]),
            (&json!(ada.did()), &json!(bob.did()), &json!({"text": "hello"}))
        );
    }
    assert_eq!(app.get(&path).sign(eve).send().await.unwrap().code(), "not_found");
}

#[tokio::test]
async fn one_nonce_commits_once_on_whichever_replica() {
    let mut app = still().await;
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let other = app.another_api().await.unwrap();
    let before = rows(&app).await;
    // Both replicas answer under one public URL, as behind a load balancer.
    let signed = app.post("/v1/intents").json(&intent(&bob)).sign(&ada);
    let sends = (0..10).map(|turn| {
        let request = if turn % 2 == 0 {
            signed.clone()
        } else {
            signed.clone().retarget(&format!("{}v1/intents", other.base()))
        };
        async move { request.send().await.unwrap() }
    });
    let replies = futures::future::join_all(sends).await;
    let accepted = replies.iter().filter(|reply| reply.status == 202).count();
    let replayed =
        replies.iter().filter(|reply| reply.code() == "nonce_replayed" && reply.status == 409).count();
    assert_eq!((accepted, replayed), (1, 9));
    assert_eq!(rows(&app).await, before.map(|count| count + 1));
}

#[tokio::test]
async fn an_intent_that_nobody_takes_expires() {
    let clock = kernel::Clock::held(kernel::Clock::system().now());
    let app =
        TestApp::start_with(dev::AppOptions { worker: false, clock: clock.clone(), ..Default::default() })
            .await
            .unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let mut short = intent(&bob);
    short["ttl_seconds"] = json!(5);
    let sent =
        app.post("/v1/intents").json(&short).sign(&ada).send().await.unwrap().expect::<Value>(202).unwrap();
    let path = format!("/v1/intents/{}", sent["id"].as_str().unwrap());
    let state = async || app.get(&path).sign(&ada).send().await.unwrap().expect::<Value>(200).unwrap();
    assert_eq!(state().await["state"], "accepted");

    clock.advance(std::time::Duration::from_secs(6));
    let expired = state().await;
    assert_eq!(
        (&expired["state"], &expired["settled_at"]),
        (&json!("expired"), &sent["expires_at"]),
        "before any sweep"
    );
    let inbox: Value = app.get("/v1/inbox").sign(&bob).send().await.unwrap().expect(200).unwrap();
    assert_eq!(inbox["data"], json!([]));
    assert_eq!(domain::intents::sweep(app.core(), 10).await.unwrap(), 1);
    assert_eq!(domain::intents::sweep(app.core(), 10).await.unwrap(), 0);
    assert_eq!(state().await, expired, "the sweep changes nothing that was seen");
}

#[tokio::test]
async fn what_was_settled_long_ago_is_forgotten_and_nothing_else() {
    let clock = kernel::Clock::held(kernel::Clock::system().now());
    let app =
        TestApp::start_with(dev::AppOptions { worker: false, clock: clock.clone(), ..Default::default() })
            .await
            .unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let send = async || {
        let mut intent = intent(&bob);
        intent["ttl_seconds"] = json!(7 * 86_400);
        let sent = app.post("/v1/intents").json(&intent).sign(&ada).send().await.unwrap();
        sent.expect::<Value>(202).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (old, day) = (send().await, std::time::Duration::from_secs(86_400));
    clock.advance(day * 8);
    assert_eq!(domain::intents::sweep(app.core(), 10).await.unwrap(), 1);
    clock.advance(day * 28);
    let open = send().await;
    assert_eq!(domain::intents::prune(app.core(), 10).await.unwrap(), 0, "29 days after it was settled");
    clock.advance(day * 2);
    assert_eq!(domain::intents::prune(app.core(), 10).await.unwrap(), 1);
    let seen = async |id: &str| app.get(&format!("/v1/intents/{id}")).sign(&ada).send().await.unwrap().status;
    assert_eq!((seen(&old).await, seen(&open).await), (404, 200));
}

/// Keys and people see all intents of the project's agents; an agent sees its own.
#[tokio::test]
async fn a_project_lists_its_intents_and_an_agent_sees_its_own() {
    let app = still().await;
    let [ada, bob, carol] = ["Ada", "Bob", "Carol"].map(|name| app.agent(name));
    let (ada, bob, carol) = (ada.await.unwrap(), bob.await.unwrap(), carol.await.unwrap());
    let mut sent = Vec::new();
    for _ in 0..5 {
        let reply = app.post("/v1/intents").json(&intent(&bob)).sign(&ada).send().await.unwrap();
        sent.push(reply.expect::<Value>(202).unwrap()["id"].clone());
    }
    sent.reverse();
    let (_, their_key) = app.another_project("theirs").await.unwrap();
    let mut seen = Vec::new();
    let mut path = "/v1/intents?limit=2".to_owned();
    loop {
        let page: Value = app.get(&path).key(app.key()).send().await.unwrap().expect(200).unwrap();
        for row in page["data"].as_array().unwrap() {
            assert_eq!((&row["from"], &row["state"]), (&json!(ada.did()), &json!("accepted")));
            assert!(row.get("payload").is_none() && row.get("visible_at").is_none(), "{row}");
            seen.push(row["id"].clone());
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/intents?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, sent);

    let one = format!("/v1/intents/{}", sent[0].as_str().unwrap());
    let by_key: Value = app.get(&one).key(app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(by_key["payload"], json!({ "text": "hello" }));
    for agent in [&ada, &bob] {
        assert_eq!(app.get(&one).sign(agent).send().await.unwrap().expect::<Value>(200).unwrap(), by_key);
    }
    assert_eq!(app.get(&one).sign(&carol).send().await.unwrap().status, 404, "neither sender nor recipient");
    assert_eq!(app.get(&one).key(&their_key).send().await.unwrap().status, 404, "another project's key");
    let theirs: Value = app.get("/v1/intents").key(&their_key).send().await.unwrap().expect(200).unwrap();
    assert_eq!(theirs["data"], json!([]));
    assert_eq!(app.get("/v1/intents").sign(&ada).send().await.unwrap().code(), "forbidden");
}
