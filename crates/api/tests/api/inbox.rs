//! `/v1/inbox`: leases, and the right to settle a delivery.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use kernel::{Clock, caller::RequestContext};
use serde_json::{Value, json};
use testkit::Identity;

struct Scene {
    app: TestApp,
    clock: Clock,
    ada: Identity,
    bob: Identity,
}

impl Scene {
    /// Returns two agents and a clock that stands still, without a worker.
    async fn set() -> Self {
        let clock = Clock::held(Clock::system().now());
        let options = AppOptions { worker: false, clock: clock.clone(), ..Default::default() };
        let app = TestApp::start_with(options).await.unwrap();
        let (ada, bob) = (app.agent("Ada").await.unwrap(), app.agent("Bob").await.unwrap());
        Self { app, clock, ada, bob }
    }

    async fn send(&self) -> String {
        let intent = json!({ "to": self.bob.did(), "type": "greeting", "payload": null });
        let sent = self.app.post("/v1/intents").json(&intent).sign(&self.ada).send().await.unwrap();
        sent.expect::<Value>(202).unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn lease(&self, query: &str) -> Vec<Value> {
        let reply = self.app.get(&format!("/v1/inbox{query}")).sign(&self.bob).send().await.unwrap();
        reply.expect::<Value>(200).unwrap()["data"].as_array().unwrap().clone()
    }

    /// Sends `verb` for a leased delivery. Returns the status and the problem's code.
    async fn settle(&self, by: &Identity, lease: &Value, verb: &str, more: Value) -> (u16, String) {
        let mut body = json!({ "lease_token": lease["lease_token"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("/v1/inbox/{}/{verb}", lease["id"].as_str().unwrap());
        let reply = self.app.post(&path).json(&body).sign(by).send().await.unwrap();
        (reply.status, reply.code())
    }

    async fn state(&self, intent: &str) -> Value {
        let reply = self.app.get(&format!("/v1/intents/{intent}")).sign(&self.ada).send().await.unwrap();
        reply.expect(200).unwrap()
    }
}

fn lost() -> (u16, String) {
    (409, "lease_lost".to_owned())
}

fn done(status: u16) -> (u16, String) {
    (status, String::new())
}

#[tokio::test]
async fn a_lease_is_one_recipients_until_it_ends_and_its_token_ends_with_it() {
    let scene = Scene::set().await;
    let intent = scene.send().await;
    let first = scene.lease("").await.remove(0);
    assert_eq!((&first["attempt"], &first["intent"]["state"]), (&json!(1), &json!("leased")));
    assert!(scene.lease("").await.is_empty(), "a leased delivery was leased again");
    assert_eq!(scene.state(&intent).await["state"], "leased");

    scene.clock.advance(Duration::from_secs(31));
    let second = scene.lease("").await.remove(0);
    assert_eq!((&second["id"], &second["attempt"]), (&first["id"], &json!(2)));
    for verb in ["ack", "nack"] {
        assert_eq!(
            scene.settle(&scene.bob, &first, verb, json!({})).await,
            lost(),
            "{verb} by the old token"
        );
    }
    assert_eq!(scene.settle(&scene.bob, &first, "extend", json!({ "seconds": 60 })).await, lost());
    assert_eq!(scene.state(&intent).await["state"], "leased");

    assert_eq!(scene.settle(&scene.bob, &second, "ack", json!({})).await, done(204));
    let acked = scene.state(&intent).await;
    assert_eq!((&acked["state"], &acked["attempts"]), (&json!("acked"), &json!(2)));
    assert_eq!(
        scene.settle(&scene.bob, &second, "ack", json!({})).await,
        done(204),
        "said again, it is still so"
    );
    assert_eq!(scene.settle(&scene.bob, &first, "ack", json!({})).await, lost());
    assert_eq!(
        scene.settle(&scene.bob, &second, "nack", json!({})).await,
        lost(),
        "what is acknowledged stays so"
    );
    scene.clock.advance(Duration::from_secs(3600));
    assert!(scene.lease("").await.is_empty());
    let acks: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE action = 'delivery.acked'")
        .fetch_one(scene.app.core().db.pool())
        .await
        .unwrap();
    assert_eq!(acks, 1);
}

#[tokio::test]
async fn a_lease_that_ended_still_holds_until_it_is_taken_again() {
    let scene = Scene::set().await;
    let intent = scene.send().await;
    let lease = scene.lease("?lease_seconds=5").await.remove(0);
    scene.clock.advance(Duration::from_secs(6));
    assert_eq!(
        scene.settle(&scene.bob, &lease, "extend", json!({ "seconds": 60 })).await,
        lost(),
        "an ended lease came back"
    );
    assert_eq!(scene.settle(&scene.bob, &lease, "ack", json!({})).await, done(204));
    assert_eq!(scene.state(&intent).await["state"], "acked");
}

#[tokio::test]
async fn nack_puts_off_and_extend_prolongs() {
    let scene = Scene::set().await;
    let intent = scene.send().await;
    let lease = scene.lease("").await.remove(0);
    assert_eq!(scene.settle(&scene.bob, &lease, "extend", json!({ "seconds": 120 })).await, done(200));
    scene.clock.advance(Duration::from_secs(100));
    assert!(scene.lease("").await.is_empty(), "an extended lease ended");
    assert_eq!(
        scene.settle(&scene.bob, &lease, "nack", json!({ "delay_seconds": 50, "reason": "busy" })).await,
        done(200)
    );
    let state = scene.state(&intent).await;
    assert_eq!((&state["state"], &state["last_error"]), (&json!("accepted"), &json!("busy")));
    scene.clock.advance(Duration::from_secs(49));
    assert!(scene.lease("").await.is_empty(), "the delay did not hold");
    scene.clock.advance(Duration::from_secs(2));
    assert_eq!(scene.lease("").await.len(), 1);
}

#[tokio::test]
async fn nobody_settles_anothers_delivery() {
    let scene = Scene::set().await;
    scene.send().await;
    let lease = scene.lease("").await.remove(0);
    let missing = (404, "not_found".to_owned());
    assert_eq!(scene.settle(&scene.ada, &lease, "ack", json!({})).await, missing);
    assert_eq!(scene.settle(&scene.ada, &lease, "nack", json!({})).await, missing);
    assert_eq!(scene.settle(&scene.ada, &lease, "extend", json!({ "seconds": 9 })).await, missing);
    assert_eq!(scene.settle(&scene.bob, &lease, "ack", json!({})).await, done(204));
}

#[tokio::test]
async fn concurrent_polls_share_what_is_due_and_none_gets_it_twice() {
    let scene = Scene::set().await;
    for _ in 0..20 {
        scene.send().await;
    }
    let polls = (0..8).map(|_| scene.lease("?max=5"));
    let leased: Vec<Value> = futures::future::join_all(polls).await.into_iter().flatten().collect();
    let mut ids: Vec<&str> = leased.iter().map(|lease| lease["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "a delivery was leased twice at once");
    let rest = scene.lease("?max=100").await.len();
    assert_eq!(all + rest, 20);
}

#[tokio::test]
async fn a_delivery_that_fails_its_recipient_too_often_is_given_up() {
    let scene = Scene::set().await;
    let intent = scene.send().await;
    sqlx::query("UPDATE deliveries SET attempts = $1")
        .bind(domain::intents::MAX_ATTEMPTS)
        .execute(scene.app.core().db.pool())
        .await
        .unwrap();
    assert!(scene.lease("").await.is_empty());
    assert_eq!(scene.state(&intent).await["state"], "dead");
}

/// The hint ends the wait, and not the polling floor: with the clock that stands still, no later
/// look would find the delivery due.
#[tokio::test]
async fn a_long_poll_ends_when_something_arrives_on_whichever_replica() {
    let mut scene = Scene::set().await;
    let other = scene.app.another_api().await.unwrap();
    let poll = scene
        .app
        .get("/v1/inbox?wait=20")
        .sign(&scene.bob)
        .retarget(&format!("{}v1/inbox?wait=20", other.base()));
    let waiting = tokio::spawn(async move { poll.send().await.unwrap().expect::<Value>(200).unwrap() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    let intent = scene.send().await;
    let inbox = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!(inbox["data"][0]["intent"]["id"], json!(intent));
}

#[tokio::test]
async fn a_wait_that_nothing_ends_is_as_long_as_was_asked() {
    let scene = Scene::set().await;
    let begun = std::time::Instant::now();
    assert!(scene.lease("?wait=1").await.is_empty());
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_was_on_its_way_to_a_removed_agent_is_given_up() {
    let scene = Scene::set().await;
    let intent = scene.send().await;
    let path = format!("/v1/agents/{}", scene.bob.did());
    assert_eq!(scene.app.delete(&path).key(scene.app.key()).send().await.unwrap().status, 204);
    let agent = sqlx::query_scalar("SELECT id FROM agents WHERE did = $1")
        .bind(scene.bob.did())
        .fetch_one(scene.app.core().db.pool())
        .await
        .unwrap();
    let job = domain::agents::jobs::RetireAgent { project: scene.app.project(), agent };
    domain::intents::retire(scene.app.core(), &job, &RequestContext::default()).await.unwrap();
    let state = scene.state(&intent).await;
    assert_eq!(
        (&state["state"], &state["last_error"]),
        (&json!("dead"), &json!("the recipient was removed"))
    );
}
