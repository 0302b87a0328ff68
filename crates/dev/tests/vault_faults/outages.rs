//! Postgres and replicas are killed and frozen, as processes, under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dev::{Instance, InstanceOptions, app::register};
use kernel::{Clock, Ids};
use serde_json::{Value, json};
use testkit::{Client, Identity, services::Options};

use crate::{
    check::sound,
    writers::{Crew, all},
};

const WRITERS: usize = 200;
/// The time that a new append may take once the faults are over.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_and_replicas_are_killed_under_200_writers() {
    let options = InstanceOptions {
        binary: Some(env!("CARGO_BIN_EXE_dev").into()),
        // As durable as production: an acknowledged write is on the disk.
        services: Options { valkey: false, nats: false, ..Options::durable() },
        variables: vec![("RATE_LIMIT_PER_MINUTE".into(), "0".into())],
        ..InstanceOptions::quiet()
    };
    let mut instance = Instance::start(options).await.unwrap();
    let key = instance.key().to_owned();
    let (mut second, second_url) = instance.another_api().unwrap();
    let (mut third, third_url) = instance.another_api().unwrap();
    second.start().unwrap();
    third.start().unwrap();
    let mut replicas = vec![instance.client().unwrap()];
    for url in [second_url, third_url] {
        let client = Client::new(url, Clock::system()).unwrap();
        ready(&client).await;
        replicas.push(client);
    }
    let agent = Identity::generate();
    register(&replicas[0], &key, &agent, "writer", json!({})).await.unwrap();
    let crew = Crew { replicas, key: key.clone(), agent, over: Arc::new(AtomicBool::new(false)) };
    let writers = crew.start(WRITERS, 3);

    // The faults follow from a seed, so that a run can be repeated.
    let seed = u64::from_be_bytes(Ids::new(Clock::system()).bytes());
    println!("seed {seed}");
    let chance = Ids::seeded(Clock::system(), seed);
    let pause = async |least: u64| {
        let more = u64::from(u16::from_be_bytes(chance.bytes())) % 400;
        tokio::time::sleep(Duration::from_millis(least + more)).await;
    };
    let start = Instant::now();
    for round in 0..3 {
        pause(500).await;
        let postgres = instance.services().unwrap().postgres.service();
        match round {
            1 => {
                postgres.freeze().await.unwrap();
                pause(1_500).await;
                postgres.thaw().await.unwrap();
            }
            _ => {
                postgres.kill().await.unwrap();
                pause(0).await;
                postgres.start().await.unwrap();
            }
        }
        pause(500).await;
        let replica = if round % 2 == 0 { &mut second } else { &mut third };
        replica.kill().await.unwrap();
        pause(100).await;
        replica.start().unwrap();
    }
    let recovering = Instant::now();
    for replica in &crew.replicas {
        ready(replica).await;
        let answer = replica.post("/v1/vault/seals").key(&key).json(&seal()).send().await.unwrap();
        answer.expect::<Value>(201).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    }
    println!("broken for {:?}, recovered in {:?}", recovering - start, recovering.elapsed());
    assert!(recovering.elapsed() < SOON, "seed {seed}: recovered only after {:?}", recovering.elapsed());
    crew.over.store(true, Ordering::SeqCst);
    let done = all(writers).await;
    let tries: usize = done.iter().map(|done| done.tries).sum();
    println!("{} seals in {tries} tries and {:?}", done.len(), start.elapsed());

    let url = instance.services().unwrap().postgres.database_url("holdfast");
    let log = sound(&url, &crew.replicas[0], &key).await;
    log.holds(&done);
    instance.check_running().unwrap();
    second.stop().await.unwrap();
    third.stop().await.unwrap();
    instance.stop().await.unwrap();
}

fn seal() -> Value {
    json!({"kind": "fault", "verdict": "SEAL", "payload": {"id": "after"}})
}

async fn ready(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !client.get("/health/ready").send().await.is_ok_and(|reply| reply.status == 200) {
        assert!(Instant::now() < deadline, "{} does not get ready", client.base());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
