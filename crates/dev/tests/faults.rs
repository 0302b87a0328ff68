//! The promise: Redis and NATS may vanish, the worker may be killed, Postgres may restart, and
//! every accepted intent is delivered, none acknowledged twice, with `/health` answering all along.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing::post};
use dev::{Instance, InstanceOptions, app::register};
use serde_json::{Value, json};
use testkit::{Client, Identity, client::Request, services::Options};
use tokio::net::TcpListener;

const INTENTS: usize = 500;
const SENDERS: usize = 8;
/// The time that everything may take to settle once the faults are over: a killed worker's jobs run
/// again within a minute.
const SETTLED: Duration = Duration::from_secs(120);
/// The most time that `/health` may take, whatever is frozen.
const HEALTH: Duration = Duration::from_secs(1);

/// The numbers of the intents that the recipients received.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<HashSet<u64>>>);

impl Received {
    fn note(&self, delivery: &Value) {
        let number = delivery["intent"]["payload"]["number"].as_u64().unwrap();
        self.0.lock().unwrap().insert(number);
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_accepted_intent_is_lost_and_none_is_acknowledged_twice() {
    let options = InstanceOptions {
        binary: Some(env!("CARGO_BIN_EXE_dev").into()),
        // Postgres is killed, so only writes that wait for the disk survive, in production as here.
        services: Options::durable(),
        // A high limit refuses nothing, and Redis is asked for every request.
        variables: vec![("RATE_LIMIT_PER_MINUTE".into(), "1000000".into())],
        ..InstanceOptions::quiet()
    };
    let mut instance = Instance::start(options).await.unwrap();
    let (client, key) = (instance.client().unwrap(), instance.key().to_owned());
    let over = Arc::new(AtomicBool::new(false));
    let received = Received::default();

    let puller = Identity::generate();
    register(&client, &key, &puller, "puller", json!({})).await.unwrap();
    let pushed = Identity::generate();
    let endpoint = listen_for_pushes(received.clone()).await;
    register(&client, &key, &pushed, "pushed", json!({ "endpoint": format!("http://{endpoint}/") }))
        .await
        .unwrap();

    let health = tokio::spawn(watch_health(client.clone(), Arc::clone(&over)));
    let pulling = tokio::spawn(pull(client.clone(), puller.clone(), received.clone(), Arc::clone(&over)));
    let next = Arc::new(AtomicUsize::new(0));
    let mut sending = Vec::new();
    for _ in 0..SENDERS {
        let sender = Identity::generate();
        register(&client, &key, &sender, "sender", json!({})).await.unwrap();
        let to = [puller.did().to_owned(), pushed.did().to_owned()];
        sending.push(tokio::spawn(send(client.clone(), sender, to, Arc::clone(&next))));
    }

    break_everything(&mut instance).await;

    for sender in sending {
        sender.await.unwrap();
    }
    let settled = Instant::now() + SETTLED;
    while received.count() < INTENTS && Instant::now() < settled {
        instance.check_running().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let states = states(&instance).await;
    assert_eq!(received.count(), INTENTS, "accepted intents were not delivered; states: {states:?}");
    let all_acked = vec![("acked".to_owned(), i64::try_from(INTENTS).unwrap())];
    assert_eq!(until(settled, async || self::states(&instance).await, &all_acked).await, all_acked);
    assert_eq!(acknowledged_twice(&instance).await, 0);

    let recovered = until(settled, async || health_status(&client).await, &"ok".to_owned()).await;
    assert_eq!(recovered, "ok", "after recovery everything is ok, without a restart of ours");
    over.store(true, Ordering::SeqCst);
    let slowest = health.await.unwrap();
    assert!(slowest < HEALTH, "/health took {slowest:?}");
    pulling.await.unwrap();
    instance.stop().await.unwrap();
}

/// Kills the worker five times, freezes, kills, flushes and restarts Valkey and NATS, and restarts
/// Postgres, all under load.
async fn break_everything(instance: &mut Instance) {
    let pause = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
    for round in 0..5 {
        instance.worker().kill().await.unwrap();
        pause(1).await;
        instance.worker().start().unwrap();
        let services = instance.services().unwrap();
        let (valkey, nats) = (services.valkey().unwrap(), services.nats().unwrap());
        match round {
            0 => {
                valkey.freeze().await.unwrap();
                nats.freeze().await.unwrap();
                pause(3).await;
                valkey.thaw().await.unwrap();
                nats.thaw().await.unwrap();
            }
            1 => {
                valkey.flush().await.unwrap();
                valkey.kill().await.unwrap();
                pause(2).await;
                valkey.start().await.unwrap();
            }
            2 => {
                services.postgres.service().stop().await.unwrap();
                pause(2).await;
                services.postgres.service().start().await.unwrap();
            }
            3 => {
                nats.kill().await.unwrap();
                pause(2).await;
                nats.start().await.unwrap();
            }
            _ => {
                services.postgres.service().freeze().await.unwrap();
                pause(2).await;
                services.postgres.service().thaw().await.unwrap();
            }
        }
        pause(1).await;
    }
}

/// Sends numbered intents until all have been taken on, each again and again until its commit is
/// known. The nonce, consumed in the same commit, tells a lost answer from a lost request.
async fn send(client: Client, sender: Identity, to: [String; 2], next: Arc<AtomicUsize>) {
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= INTENTS {
            return;
        }
        let intent = json!({ "to": to[number % 2], "type": "fault.test", "payload": { "number": number } });
        let sign = || client.post("/v1/intents").json(&intent).sign(&sender);
        let mut signed = (sign(), Instant::now());
        while !is_committed(signed.0.clone()).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(
                signed.1.elapsed() < Duration::from_secs(50),
                "intent {number} was not accepted for too long"
            );
        }
        signed.1 = Instant::now();
        // The intents are spread over the time of the faults.
        tokio::time::sleep(Duration::from_millis(350)).await;
    }
}

async fn is_committed(request: Request) -> bool {
    match request.send().await {
        Ok(reply) if reply.status == 202 || reply.code() == "nonce_replayed" => true,
        Ok(reply) if reply.status == 503 => false,
        Ok(reply) => {
            panic!("an intent was answered with {}: {}", reply.status, String::from_utf8_lossy(&reply.body))
        }
        Err(_) => false,
    }
}

async fn pull(client: Client, recipient: Identity, received: Received, over: Arc<AtomicBool>) {
    while !over.load(Ordering::SeqCst) {
        let polled = client.get("/v1/inbox?wait=2&max=20&lease_seconds=10").sign(&recipient).send().await;
        let Some(inbox) = polled.ok().and_then(|reply| reply.expect::<Value>(200).ok()) else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        for delivery in inbox["data"].as_array().unwrap() {
            let path = format!("/v1/inbox/{}/ack", delivery["id"].as_str().unwrap());
            let ack =
                client.post(&path).json(&json!({ "lease_token": delivery["lease_token"] })).sign(&recipient);
            // A lost acknowledgment does no harm: the delivery comes again.
            if ack.send().await.is_ok_and(|reply| reply.status == 204) {
                received.note(delivery);
            }
        }
    }
}

async fn listen_for_pushes(received: Received) -> SocketAddr {
    let router = Router::new().route(
        "/",
        post(async |State(received): State<Received>, Json(delivery): Json<Value>| received.note(&delivery)),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router.with_state(received)).await });
    address
}

/// Calls `/health` all along, and returns the time of the slowest answer. Each call must be
/// answered, whatever the answer says.
async fn watch_health(client: Client, over: Arc<AtomicBool>) -> Duration {
    let mut slowest = Duration::ZERO;
    while !over.load(Ordering::SeqCst) {
        let asked = Instant::now();
        let reply = client.get("/health").send().await.unwrap();
        slowest = slowest.max(asked.elapsed());
        assert!([200, 503].contains(&reply.status), "/health answered {}", reply.status);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    slowest
}

async fn health_status(client: &Client) -> String {
    let reply = client.get("/health").send().await.unwrap();
    reply.json()["status"].as_str().unwrap_or_default().to_owned()
}

/// Returns the number of deliveries in each state.
async fn states(instance: &Instance) -> Vec<(String, i64)> {
    let mut database = database(instance).await;
    sqlx::query_as("SELECT state, count(*) FROM deliveries GROUP BY 1 ORDER BY 1")
        .fetch_all(&mut database)
        .await
        .unwrap()
}

async fn acknowledged_twice(instance: &Instance) -> i64 {
    let sql = "SELECT count(*) FROM ( \
                   SELECT FROM audit_events WHERE action IN ('delivery.acked', 'delivery.pushed') \
                   GROUP BY subject HAVING count(*) > 1 \
               ) AS twice";
    sqlx::query_scalar(sql).fetch_one(&mut database(instance).await).await.unwrap()
}

async fn database(instance: &Instance) -> sqlx::PgConnection {
    let url = instance.services().unwrap().postgres.database_url("holdfast");
    <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap()
}

/// Looks until the result is as wanted or time is up. Returns the last result.
async fn until<T: PartialEq>(deadline: Instant, look: impl AsyncFn() -> T, wanted: &T) -> T {
    loop {
        let seen = look().await;
        if seen == *wanted || Instant::now() > deadline {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
