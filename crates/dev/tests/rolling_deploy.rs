//! The promise of a deploy: replicas of the API come and go under load, no request fails and no
//! accepted intent is lost.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one counts"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use dev::{Instance, InstanceOptions, app::register};
use kernel::Clock;
use reqwest::Url;
use serde_json::{Value, json};
use testkit::{Client, Identity, Program, Proxy, services::Options};

/// The number of clients. Each keeps its own connections, and always has one request under way.
const CLIENTS: usize = 8;
/// The time that each state of the deploy lasts under load.
const A_WHILE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_come_and_go_and_no_request_fails() {
    let proxy = Proxy::start().await.unwrap();
    let public_url = proxy.url().as_str().trim_end_matches('/').to_owned();
    let options = InstanceOptions {
        binary: Some(env!("CARGO_BIN_EXE_dev").into()),
        services: Options { valkey: false, nats: false, ..Options::testing() },
        variables: vec![("RATE_LIMIT_PER_MINUTE".into(), "0".into()), ("PUBLIC_URL".into(), public_url)],
        ..InstanceOptions::quiet()
    };
    let mut instance = Instance::start(options).await.unwrap();
    let first = instance.url().clone();
    let (mut second, second_url) = started(&instance);
    proxy.admit(&first).await.unwrap();
    proxy.admit(&second_url).await.unwrap();
    let load = Load::start(&proxy, instance.key()).await;
    tokio::time::sleep(A_WHILE).await;

    // As Railway deploys: the new replica is ready, the old one leaves the rotation, and is told to
    // stop a little later.
    let (mut third, third_url) = started(&instance);
    proxy.admit(&third_url).await.unwrap();
    proxy.retire(&first);
    tokio::time::sleep(A_WHILE / 2).await;
    assert!(instance.api().stop().await.unwrap().unwrap().success());
    load.check_going();
    assert_eq!(proxy.refused(), 0);

    // Harder: the proxy is told nothing, and continues to send requests to the replica that stops
    // until that refuses them.
    let mut running = Vec::new();
    for (leaving, url) in [(&mut second, &second_url), (&mut third, &third_url)] {
        let (next, next_url) = started(&instance);
        running.push(next);
        proxy.admit(&next_url).await.unwrap();
        let refused = proxy.refused();
        assert!(leaving.stop().await.unwrap().unwrap().success());
        tokio::time::sleep(A_WHILE / 2).await;
        assert!(proxy.refused() > refused, "the proxy never met the end of {url}: this shows nothing");
        load.check_going();
        proxy.retire(url);
    }

    let accepted = load.end().await;
    assert!(accepted.len() > CLIENTS, "{} intents were accepted: that is no load", accepted.len());
    let client = Client::new(proxy.url().clone(), Clock::system()).unwrap();
    for (sender, intent) in &accepted {
        let seen = client.get(&format!("/v1/intents/{intent}")).sign(sender).send().await.unwrap();
        assert_eq!(seen.expect::<Value>(200).unwrap()["id"], intent.as_str());
    }
}

/// Starts another replica, which may not be ready yet.
fn started(instance: &Instance) -> (Program, Url) {
    let (mut program, url) = instance.another_api().unwrap();
    program.start().unwrap();
    (program, url)
}

/// Clients that never rest.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Vec<(Identity, String)>>>,
}

impl Load {
    async fn start(proxy: &Proxy, key: &str) -> Self {
        let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let recipient = Identity::generate();
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let client = Client::new(proxy.url().clone(), Clock::system()).unwrap();
            register(&client, key, &recipient, "recipient", json!({})).await.unwrap();
            let (recipient, key) = (recipient.did().to_owned(), key.to_owned());
            clients.push(tokio::spawn(requests(
                client,
                key,
                recipient,
                Arc::clone(&over),
                Arc::clone(&answered),
            )));
        }
        Self { over, answered, clients }
    }

    /// Checks that no client has met a failure so far.
    fn check_going(&self) {
        let ended = self.clients.iter().filter(|client| client.is_finished()).count();
        assert_eq!(
            ended,
            0,
            "clients met a failure; {} requests were answered",
            self.answered.load(Ordering::Relaxed)
        );
    }

    /// Ends the load. Returns the accepted intents, each with its sender.
    async fn end(self) -> Vec<(Identity, String)> {
        self.over.store(true, Ordering::Relaxed);
        let mut accepted = Vec::new();
        for client in self.clients {
            accepted.extend(client.await.unwrap());
        }
        println!("{} requests, {} of them intents", self.answered.load(Ordering::Relaxed), accepted.len());
        accepted
    }
}

/// Makes anonymous reads, reads by key, registrations and intents in turn. Panics at the first that
/// is not answered as it should be.
async fn requests(
    client: Client,
    key: String,
    to: String,
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Vec<(Identity, String)> {
    let mut accepted = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let sender = Identity::generate();
        client.get("/version").send().await.unwrap().expect::<Value>(200).unwrap();
        register(&client, &key, &sender, "sender", json!({})).await.unwrap();
        client.get("/v1/agents?limit=1").key(&key).send().await.unwrap().expect::<Value>(200).unwrap();
        let intent =
            client.post("/v1/intents").json(&json!({ "to": to, "type": "deploy.test", "payload": 1 }));
        let intent: Value = intent.sign(&sender).send().await.unwrap().expect(202).unwrap();
        accepted.push((sender, intent["id"].as_str().unwrap().to_owned()));
        answered.fetch_add(4, Ordering::Relaxed);
    }
    accepted
}
