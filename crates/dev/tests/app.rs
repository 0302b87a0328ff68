//! The harness itself: a Holdfast in process takes an intent from end to end, with and without
//! accelerators.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use dev::{AppOptions, TestApp};
use kernel::Clock;
use serde_json::{Value, json};
use testkit::{Identity, Signing};

async fn send(app: &TestApp, from: &Identity, to: &Identity) -> String {
    let intent = json!({"to": to.did(), "type": "greeting", "payload": "hello"});
    let accepted: Value =
        app.post("/v1/intents").json(&intent).sign(from).send().await.unwrap().expect(202).unwrap();
    accepted["id"].as_str().unwrap().to_owned()
}

async fn travels(app: &TestApp) {
    let (alice, bob) = (app.agent("Alice").await.unwrap(), app.agent("Bob").await.unwrap());
    let intent = send(app, &alice, &bob).await;
    let inbox: Value = app.get("/v1/inbox?wait=10").sign(&bob).send().await.unwrap().expect(200).unwrap();
    let lease = &inbox["data"][0];
    assert_eq!(lease["intent"]["id"], intent.as_str());
    let ack = format!("/v1/inbox/{}/ack", lease["id"].as_str().unwrap());
    let token = json!({"lease_token": lease["lease_token"]});
    assert_eq!(app.post(&ack).json(&token).sign(&bob).send().await.unwrap().status, 204);
    let seen: Value =
        app.get(&format!("/v1/intents/{intent}")).sign(&alice).send().await.unwrap().expect(200).unwrap();
    assert_eq!(seen["state"], "acked");
}

#[tokio::test]
async fn with_all_accelerators() {
    let app = TestApp::start_with(AppOptions { accelerators: true, ..AppOptions::default() }).await.unwrap();
    travels(&app).await;
    app.stop().await.unwrap();
}

#[tokio::test]
async fn with_postgres_alone() {
    let app = TestApp::start_with(AppOptions { accelerators: false, ..AppOptions::default() }).await.unwrap();
    travels(&app).await;
    app.stop().await.unwrap();
}

#[tokio::test]
async fn replicas_and_projects_can_be_added() {
    let mut app = TestApp::start().await.unwrap();
    let alice = app.agent("Alice").await.unwrap();
    let replica = app.another_api().await.unwrap();
    app.another_worker().unwrap();
    let path = format!("/v1/agents/{}", alice.did());
    let seen: Value = replica.get(&path).key(app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(seen["name"], "Alice");
    let (_, stranger) = app.another_project("Other").await.unwrap();
    assert_eq!(app.get(&path).key(&stranger).send().await.unwrap().status, 404);
    app.stop().await.unwrap();
}

#[tokio::test]
async fn time_can_be_held_still() {
    let clock = Clock::held(DateTime::from_timestamp(1_900_000_000, 0).unwrap());
    let app =
        TestApp::start_with(AppOptions { clock: clock.clone(), worker: false, ..AppOptions::default() });
    let app = app.await.unwrap();
    let alice = app.agent("Alice").await.unwrap();
    let signing = Signing::by(&alice, &clock);
    clock.advance(Duration::from_secs(61));
    let reply = app.get("/v1/inbox").sign_with(signing).send().await.unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (401, "signature_stale"));
    assert!(clock.now() - DateTime::from_timestamp(1_900_000_000, 0).unwrap() == TimeDelta::seconds(61));
}
