//! `Idempotency-Key`: a request may be sent twice, to whichever replica, and is done once.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use kernel::{Clock, housekeeping};
use serde_json::{Value, json};
use testkit::{Identity, client::Request};

const ONE_DAY: Duration = Duration::from_secs(24 * 3600);

/// Returns an intent from `from` to `to`, with the `Idempotency-Key` `key`, unsigned yet.
fn intent(app: &TestApp, to: &Identity, payload: &str, key: &str) -> Request {
    let body = json!({ "to": to.did(), "type": "test.once", "payload": payload });
    app.post("/v1/intents").json(&body).header("idempotency-key", key)
}

fn registration(app: &TestApp, agent: &Identity, name: &str) -> Request {
    let body = json!({ "did": agent.did(), "public_key": agent.public_key(), "name": name });
    app.post("/v1/agents").key(app.key()).json(&body)
}

async fn count(app: &TestApp, table: &'static str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(app.core().db.pool()).await.unwrap()
}

/// Stops writes to the audit log until the result is dropped: a change then waits just before its
/// commit.
async fn before_the_commit(app: &TestApp) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut held = app.core().db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE audit_events IN EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    held
}

/// Returns the process number of a backend that waits there.
async fn who_waits(app: &TestApp) -> i32 {
    for _ in 0..200 {
        let waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'audit_events'::regclass";
        let found: Option<i32> =
            sqlx::query_scalar(waiting).fetch_optional(app.core().db.pool()).await.unwrap();
        if let Some(pid) = found {
            return pid;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody waits to write to the audit log");
}

#[tokio::test]
async fn a_request_sent_again_as_it_was_gets_the_first_answer_from_any_replica() {
    let mut app = TestApp::start().await.unwrap();
    let replica = app.another_api().await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());

    let sent = intent(&app, &bob, "once", "one-intent").sign(&ada);
    let first = sent.clone().send().await.unwrap();
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, ""));
    for again in [sent.clone(), sent.retarget(replica.base().join("/v1/intents").unwrap().as_str())] {
        let again = again.send().await.unwrap();
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    // Signed again it is the same request as well, and so is one whose key is quoted.
    let anew = intent(&app, &bob, "once", "\"one-intent\"").sign(&ada).send().await.unwrap();
    assert_eq!((anew.status, &anew.body), (first.status, &first.body));
    assert_eq!((count(&app, "intents").await, count(&app, "deliveries").await), (1, 1));

    let carol = Identity::generate();
    let register = registration(&app, &carol, "Carol").header("idempotency-key", "one-agent").sign(&carol);
    let first = register.clone().send().await.unwrap();
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    let again = register.send().await.unwrap();
    assert_eq!((again.status, &again.body), (201, &first.body), "created, also the second time it is told");
    assert_eq!(
        (again.header("location"), again.header("idempotency-replayed")),
        (first.header("location"), "true")
    );
}

/// Sent data can be erased elsewhere, so the fingerprint must not confirm a right guess of it.
#[tokio::test]
async fn what_is_kept_of_a_request_does_not_confirm_a_guess() {
    let app = TestApp::start().await.unwrap();
    let body = r#"{"kind":"k","verdict":"SEAL","payload":1,"subject":"ada","personal":{"phone":"4711"}}"#;
    let seal = app.post("/v1/vault/seals").key(app.key()).header("idempotency-key", "one-seal");
    let seal = seal.header("content-type", "application/json").body(body.as_bytes().to_vec());
    assert_eq!(seal.send().await.unwrap().status, 201);
    let guess = kernel::crypto::sha256(format!("POST\n/v1/vault/seals\n{body}").as_bytes());
    let kept: Vec<u8> = sqlx::query_scalar("SELECT fingerprint FROM idempotent_requests")
        .fetch_one(app.core().db.pool())
        .await
        .unwrap();
    assert!(kept.len() == 32 && kept != guess);
}

#[tokio::test]
async fn without_a_key_the_same_request_is_a_replay() {
    let app = TestApp::start().await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let sent = intent(&app, &bob, "once", "given").sign(&ada);
    assert_eq!(sent.clone().send().await.unwrap().status, 202);
    for thief in [sent.clone().without("idempotency-key"), sent.header("idempotency-key", "another")] {
        let refused = thief.send().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (409, "nonce_replayed"));
    }
    let carol = Identity::generate();
    let register = registration(&app, &carol, "Carol").sign(&carol);
    assert_eq!(register.clone().send().await.unwrap().status, 201);
    let refused = register.send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "nonce_replayed"));
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_actor() {
    let app = TestApp::start().await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let first =
        intent(&app, &bob, "one", "key").sign(&ada).send().await.unwrap().expect::<Value>(202).unwrap();
    let other_body = intent(&app, &bob, "two", "key").sign(&ada).send().await.unwrap();
    assert_eq!((other_body.status, other_body.code().as_str()), (422, "idempotency_key_reused"));
    let other_actor = intent(&app, &bob, "one", "key").sign(&bob).send().await.unwrap();
    assert_ne!(other_actor.expect::<Value>(202).unwrap()["id"], first["id"]);
    // A request that was refused is not stored: it may be corrected under the same key.
    let broken = intent(&app, &Identity::generate(), "one", "retry").sign(&ada).send().await.unwrap();
    assert_eq!((broken.status, broken.code().as_str()), (422, "unknown_recipient"));
    assert_eq!(intent(&app, &bob, "one", "retry").sign(&ada).send().await.unwrap().status, 202);

    for malformed in ["", "\"\"", "two words", "a\"b", "é", &"x".repeat(256)] {
        let request = app.post("/v1/intents").json(&json!({ "to": bob.did(), "type": "t", "payload": 1 }));
        let refused = request.header("idempotency-key", malformed).sign(&ada).send().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (400, "malformed_request"), "{malformed:?}");
    }
    let two = intent(&app, &bob, "one", "key").another_header("idempotency-key", "key").sign(&ada);
    assert_eq!(two.send().await.unwrap().status, 400);
    assert_eq!(count(&app, "intents").await, 3);
}

#[tokio::test]
async fn while_the_first_is_under_way_the_second_is_told_to_come_again() {
    let app = TestApp::start_with(AppOptions { worker: false, ..AppOptions::default() }).await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let sent = intent(&app, &bob, "once", "slow").sign(&ada);
    let held = before_the_commit(&app).await;
    let first = tokio::spawn(sent.clone().send());
    who_waits(&app).await;
    let second = sent.clone().send().await.unwrap();
    assert_eq!((second.status, second.code().as_str()), (409, "idempotency_in_flight"));
    assert_eq!(second.header("retry-after"), "1");
    held.rollback().await.unwrap();
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.status, 202);
    assert_eq!(sent.send().await.unwrap().body, first.body);
}

#[tokio::test]
async fn what_is_killed_before_its_commit_keeps_nothing() {
    let app = TestApp::start_with(AppOptions { worker: false, ..AppOptions::default() }).await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let sent = intent(&app, &bob, "once", "killed").sign(&ada);
    let held = before_the_commit(&app).await;
    let first = tokio::spawn(sent.clone().send());
    let backend = who_waits(&app).await;
    sqlx::query("SELECT pg_terminate_backend($1)").bind(backend).execute(app.core().db.pool()).await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().status, 503);
    held.rollback().await.unwrap();
    for table in ["intents", "idempotent_requests"] {
        assert_eq!(count(&app, table).await, 0, "{table}");
    }
    let mut again = sent.clone().send().await.unwrap();
    while again.status == 503 {
        // The API takes a moment to notice that Postgres is there.
        tokio::time::sleep(Duration::from_millis(100)).await;
        again = sent.clone().send().await.unwrap();
    }
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (202, ""),
        "the nonce was not spent either"
    );
    assert_eq!(count(&app, "intents").await, 1);
}

#[tokio::test]
async fn racing_on_two_replicas_has_one_effect() {
    let mut app = TestApp::start().await.unwrap();
    let replica = app.another_api().await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    for round in 0..5 {
        let key = format!("race-{round}");
        let as_it_was = intent(&app, &bob, "once", &key).sign(&ada);
        let requests = (0..12).map(|number| {
            // Half of them are one request, byte for byte; the others are signed again.
            let request = match number % 4 < 2 {
                true => as_it_was.clone(),
                false => intent(&app, &bob, "once", &key).sign(&ada),
            };
            let target = replica.base().join("/v1/intents").unwrap();
            if number % 2 == 0 { request } else { request.retarget(target.as_str()) }.send()
        });
        let mut answers = Vec::new();
        for reply in futures::future::join_all(requests).await {
            let reply = reply.unwrap();
            match reply.status {
                202 => answers.push(reply.body),
                _ => assert_eq!((reply.status, reply.code().as_str()), (409, "idempotency_in_flight")),
            }
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "everybody is told of the same intent");
        assert_eq!(count(&app, "intents").await, round + 1);
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_then_forgotten() {
    let clock = Clock::held(Clock::system().now());
    let options = AppOptions { clock: clock.clone(), worker: false, ..AppOptions::default() };
    let app = TestApp::start_with(options).await.unwrap();
    let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
    let ask = async || intent(&app, &bob, "once", "daily").sign(&ada).send().await.unwrap();
    let first = ask().await;
    clock.advance(ONE_DAY - Duration::from_secs(1));
    assert_eq!(ask().await.body, first.body);
    assert_eq!(housekeeping::prune_responses(app.core(), 10).await.unwrap(), 0);
    clock.advance(Duration::from_secs(1));
    let next = ask().await;
    assert_eq!((next.status, next.header("idempotency-replayed")), (202, ""));
    assert_ne!(next.body, first.body);
    clock.advance(ONE_DAY);
    assert_eq!(housekeeping::prune_responses(app.core(), 10).await.unwrap(), 1);
    assert_eq!(count(&app, "idempotent_requests").await, 0);
}
