//! The queue for a log: replicas that race, clients that hang up, too many requests at once, and a
//! replica that hangs with the log's lock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dev::{AppOptions, TestApp};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use testkit::{
    Client, PgFault,
    client::Reply,
    pg_fault::{Cut, Fault},
    services,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinHandle};

use crate::check::sound;

async fn app() -> TestApp {
    TestApp::start_with(AppOptions { worker: false, ..AppOptions::default() }).await.unwrap()
}

fn seal(id: &str) -> Value {
    json!({"kind": "fault", "verdict": "SEAL", "payload": {"id": id}})
}

async fn post(replica: &Client, key: &str, seal: &Value) -> Reply {
    replica.post("/v1/vault/seals").key(key).json(seal).send().await.unwrap()
}

/// Holds the lock of the log, as a batch of another replica would, until it is dropped.
async fn lock(app: &TestApp) -> PgConnection {
    let mut holder = PgConnection::connect(app.database().url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM vault_logs FOR UPDATE").execute(&mut holder).await.unwrap();
    holder
}

/// Waits until `batches` batches wait for the lock.
async fn queued(app: &TestApp, batches: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%vault_lock%'";
    let start = Instant::now();
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(app.core().db.pool()).await.unwrap() < batches {
        assert!(start.elapsed() < Duration::from_secs(8), "the batches do not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_expect_a_size_one_wins() {
    let mut app = app().await;
    let replicas = [app.client().clone(), app.another_api().await.unwrap(), app.another_api().await.unwrap()];
    let mut winners = Vec::new();
    for size in 0..25 {
        let wanted = |writer: usize| {
            let mut seal = seal(&format!("{size}.{writer}"));
            seal["expected_size"] = json!(size);
            seal
        };
        let replies = (0..30).map(|writer| {
            let (replica, seal, key) = (replicas[writer % 3].clone(), wanted(writer), app.key().to_owned());
            tokio::spawn(async move { post(&replica, &key, &seal).await })
        });
        for reply in join_all(replies.collect::<Vec<_>>()).await {
            let reply = reply.unwrap();
            match reply.status {
                201 => winners.push(reply.json()),
                _ => assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (409, "size_mismatch"),
                    "{}",
                    reply.text()
                ),
            }
        }
        assert_eq!(winners.len(), size + 1, "size {size} has not one winner");
    }
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!(
        winners.iter().map(|winner| log.verify(winner)).collect::<Vec<_>>(),
        (0..25).collect::<Vec<_>>()
    );
    app.stop().await.unwrap();
}

/// Requests of clients that hang up are still done, and later requests do not notice.
#[tokio::test]
async fn clients_that_hang_up_break_no_lane() {
    let app = app().await;
    post(app.client(), app.key(), &seal("first")).await.expect::<Value>(201).unwrap();
    let held = lock(&app).await;
    let body = seal("gone").to_string();
    let request = format!(
        "POST /v1/vault/seals HTTP/1.1\r\nhost: holdfast\r\nauthorization: Bearer {}\r\ncontent-type: \
        application/json\r\ncontent-length: {}\r\n\r\n{body}",
        app.key(),
        body.len()
    );
    let address = format!("127.0.0.1:{}", app.url().port().unwrap());
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = TcpStream::connect(&address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        clients.push(client);
    }
    queued(&app, 1).await;
    // The first request is in a batch, and the others wait for the next; some are still on their
    // way.
    drop(clients);
    let waiting: JoinHandle<Reply> = {
        let (client, key) = (app.client().clone(), app.key().to_owned());
        tokio::spawn(async move { post(&client, &key, &seal("waits")).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(held);
    waiting.await.unwrap().expect::<Value>(201).unwrap();
    let last = post(app.client(), app.key(), &seal("last")).await.expect::<Value>(201).unwrap();
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!(log.verify(&last), log.size() - 1);
    assert!(log.size() > 3, "nothing of those that hung up was done");
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_full_queue_says_so_and_loses_nothing() {
    let app = app().await;
    let first = post(app.client(), app.key(), &seal("first")).await.expect::<Value>(201).unwrap();
    let held = lock(&app).await;
    let batch = |n: usize| {
        let seals: Vec<Value> = (0..1000).map(|m| seal(&format!("{n}.{m}"))).collect();
        let request = app.post("/v1/vault/seals/batch").key(app.key()).json(&json!({"seals": seals}));
        tokio::spawn(request.send())
    };
    // One batch is under way, and as many as allowed wait.
    let mut taken = vec![batch(0)];
    queued(&app, 1).await;
    taken.extend((1..=10).map(batch));
    let full = loop {
        let seal = seal("too many");
        let reply = post(app.client(), app.key(), &seal);
        // Until the last of them is in the queue, this one may get a place; then it is waited for.
        match tokio::time::timeout(Duration::from_millis(500), reply).await {
            Ok(reply) => break reply,
            Err(_) => continue,
        }
    };
    assert_eq!((full.status, full.code().as_str()), (503, "overloaded"), "{}", full.text());
    assert_eq!(full.header("retry-after"), "1");
    drop(held);
    let (mut made, mut refused) = (0, 0);
    let replies = join_all(taken).await;
    for reply in replies {
        let reply = reply.unwrap().unwrap();
        match reply.status {
            201 => made += reply.json()["seals"].as_array().unwrap().len(),
            _ => {
                assert_eq!(reply.code(), "overloaded");
                refused += 1;
            }
        }
    }
    assert!(refused <= 1, "{refused} batches were refused that had a place");
    let last = post(app.client(), app.key(), &seal("last")).await.expect::<Value>(201).unwrap();
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert!(log.size() >= made + 2);
    assert_eq!((log.verify(&first), log.verify(&last)), (0, log.size() - 1));
    app.stop().await.unwrap();
}

/// One request is sent to all replicas, several times, with others in between. Each batch but the
/// first collides with a commit of another replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_that_come_to_all_replicas_are_sealed_once_and_harm_no_neighbour() {
    let mut app = app().await;
    let replicas = [app.client().clone(), app.another_api().await.unwrap(), app.another_api().await.unwrap()];
    let agent = app.agent("twice").await.unwrap();
    let mut plain = 0;
    for round in 0..12 {
        let mut sent = Vec::new();
        for n in 0..8 {
            let id = format!("{round}.{n}");
            let request = app.post("/v1/vault/seals").json(&seal(&id)).header("idempotency-key", &id);
            let request = if n % 2 == 0 { request.sign(&agent) } else { request.key(app.key()) };
            for replica in &replicas {
                let to = replica.base().join("/v1/vault/seals").unwrap();
                for _ in 0..2 {
                    sent.push((true, tokio::spawn(request.clone().retarget(to.as_str()).send())));
                }
                let neighbour = replica.post("/v1/vault/seals").key(app.key()).json(&seal("neighbour"));
                sent.push((false, tokio::spawn(neighbour.send())));
                plain += 1;
            }
        }
        for (keyed, reply) in sent {
            let reply = reply.await.unwrap().unwrap();
            let in_flight = keyed && reply.code() == "idempotency_in_flight";
            assert!(reply.status == 201 || in_flight, "{} {}", reply.status, reply.text());
        }
    }
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!(log.size(), 12 * 8 + plain);
    app.stop().await.unwrap();
}

/// A replica that stops in the middle of a batch, with the connection open, keeps the lock only for
/// as long as Postgres lets it idle.
#[tokio::test]
async fn a_replica_that_hangs_with_the_lock_holds_nobody_up() {
    let way = Arc::new(PgFault::before(services::shared().await.unwrap().postgres.port()).await.unwrap());
    let options = AppOptions { worker: false, through: Some(Arc::clone(&way)), ..AppOptions::default() };
    let app = TestApp::start_with(options).await.unwrap();
    let other = app.api_with("DATABASE_URL", app.database().url()).await.unwrap();
    post(app.client(), app.key(), &seal("first")).await.expect::<Value>(201).unwrap();

    way.hold(true);
    way.arm(&[Fault { statement: "INSERT INTO vault_entries", within: None, cut: Cut::Before, every: 1 }]);
    let hanging = {
        let (client, key) = (app.client().clone(), app.key().to_owned());
        tokio::spawn(async move { post(&client, &key, &seal("hangs")).await })
    };
    while way.struck()[0].1 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    way.disarm();
    // This waits for one lock, for less than a statement may take.
    let made = post(&other, app.key(), &seal("other")).await.expect::<Value>(201).unwrap();
    way.hold(false);
    assert_eq!(hanging.await.unwrap().code(), "unavailable");
    post(app.client(), app.key(), &seal("again")).await.expect::<Value>(201).unwrap();
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!((log.verify(&made), log.size()), (1, 3));
    app.stop().await.unwrap();
}
