//! Redis without its guard: restarted, frozen, locked, and with every connection in use.

use std::time::{Duration, Instant};

use deadpool_redis::redis::{Client, Cmd, FromRedisValue, aio::MultiplexedConnection, cmd};
use futures::future::join_all;
use kernel::ports::RateDecision;
use testkit::{Services, services::Options};

use super::{Redis, RedisDbs, pool::CONNECTIONS};
use crate::{
    gcra::Gcra,
    guard::{Driver, Failure},
};

/// A quota of ten in an hour, so that nothing comes back while a test runs.
const TEN: (u32, u32) = (10, 3600);

async fn services() -> Services {
    Services::start(Options { nats: false, ..Options::testing() }).await.unwrap()
}

fn client(url: &str) -> Redis {
    Redis::new(&url.parse().unwrap(), &RedisDbs::default())
}

async fn take(redis: &Redis, subject: &str) -> Result<RateDecision, Failure> {
    redis.take(subject, Gcra::new(TEN.0, TEN.1)).await
}

async fn remaining(redis: &Redis, subject: &str) -> u32 {
    take(redis, subject).await.unwrap().remaining
}

/// Opens a connection of the test's own.
async fn server(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn ask<T: FromRedisValue>(server: &mut MultiplexedConnection, command: &mut Cmd) -> T {
    command.query_async(server).await.unwrap()
}

#[tokio::test]
async fn a_restart_between_two_calls_costs_neither_of_them() {
    let services = services().await;
    let valkey = services.valkey().unwrap();
    let redis = client(&valkey.url());
    assert_eq!((remaining(&redis, "a").await, remaining(&redis, "a").await), (9, 8));
    valkey.kill().await.unwrap();
    valkey.start().await.unwrap();
    // Its connection is dead, and its scripts and its counts are gone.
    assert_eq!((remaining(&redis, "a").await, remaining(&redis, "a").await), (9, 8));
    valkey.flush().await.unwrap();
    assert_eq!((remaining(&redis, "a").await, remaining(&redis, "a").await), (9, 8));
    valkey.kill().await.unwrap();
    assert!(matches!(take(&redis, "a").await, Err(Failure::Broken(_))));
}

#[tokio::test]
async fn many_at_once_share_round_trips_and_each_subject_has_its_own_quota() {
    let services = services().await;
    let valkey = services.valkey().unwrap();
    let (first, second) = (client(&valkey.url()), client(&valkey.url()));
    let mut server = server(&valkey.url()).await;
    let _: () = ask(&mut server, cmd("CONFIG").arg("RESETSTAT")).await;

    let subjects = ["a", "b", "c", "d"];
    let takes = (0..1000).map(|n| take(if n % 2 == 0 { &first } else { &second }, subjects[n / 2 % 4]));
    let decisions: Vec<_> = join_all(takes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(decisions.iter().filter(|decision| decision.allowed).count(), 40);
    for subject in subjects {
        assert!(!take(&first, subject).await.unwrap().allowed);
    }
    let stats: String = ask(&mut server, cmd("INFO").arg("commandstats")).await;
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
    let calls: u32 = calls.split(',').next().unwrap().parse().unwrap();
    assert!(calls < 40, "a thousand requests took {calls} calls");
}

#[tokio::test]
async fn what_somebody_else_left_under_a_key_counts_as_nothing() {
    let services = services().await;
    let url = services.valkey().unwrap().url();
    let mut server = server(&format!("{url}/5")).await;
    let _: () = ask(&mut server, cmd("RPUSH").arg("holdfast:rate:a").arg("x")).await;
    let _: () = ask(&mut server, cmd("SET").arg("holdfast:rate:b").arg("x")).await;
    let redis = client(&url);
    assert_eq!((remaining(&redis, "a").await, remaining(&redis, "b").await), (9, 9));
    assert_eq!((remaining(&redis, "a").await, remaining(&redis, "b").await), (8, 8));
}

#[tokio::test]
async fn a_server_that_takes_no_writes_fails_its_probe_and_is_used_again_when_it_does() {
    let services = services().await;
    let url = services.valkey().unwrap().url();
    let redis = client(&url);
    redis.probe().await.unwrap();
    let mut server = server(&url).await;
    let _: () = ask(&mut server, cmd("CONFIG").arg("SET").arg("maxmemory").arg(1)).await;
    assert!(redis.probe().await.is_err());
    assert!(take(&redis, "a").await.is_err());
    let _: () = ask(&mut server, cmd("CONFIG").arg("SET").arg("maxmemory").arg(0)).await;
    redis.probe().await.unwrap();
    assert_eq!(remaining(&redis, "a").await, 9);
}

#[tokio::test]
async fn a_wrong_password_is_not_told_and_works_once_it_is_right() {
    let services = services().await;
    let url = services.valkey().unwrap().url();
    let mut server = server(&url).await;
    let _: () = ask(&mut server, cmd("CONFIG").arg("SET").arg("requirepass").arg("right")).await;
    let redis = client(&url.replace("redis://", "redis://:hunter2@"));
    let Err(refused) = redis.probe().await else { panic!("the server lets anybody in") };
    assert!(matches!(refused, Failure::Broken(_)) && !refused.to_string().contains("hunter2"), "{refused}");
    assert!(take(&redis, "a").await.is_err());
    let _: () = ask(&mut server, cmd("CONFIG").arg("SET").arg("requirepass").arg("hunter2")).await;
    redis.probe().await.unwrap();
    assert_eq!(remaining(&redis, "a").await, 9);
}

#[tokio::test]
async fn with_every_connection_in_use_a_call_waits_no_longer_than_its_limit() {
    let services = services().await;
    let redis = client(&services.valkey().unwrap().url());
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(redis.pool().get().await.unwrap());
    }
    let asked = Instant::now();
    assert!(take(&redis, "a").await.is_err());
    assert!(asked.elapsed() < 4 * Redis::CALL_LIMIT, "{:?}", asked.elapsed());
    assert!(matches!(redis.probe().await, Err(Failure::TimedOut(Redis::CALL_LIMIT))));
    held.pop();
    assert_eq!(remaining(&redis, "a").await, 9, "a connection that comes back is used");
}

/// The guard lets the callers go; their batches must not hold the lane against later callers.
#[tokio::test]
async fn batches_whose_callers_have_left_do_not_wait_for_a_frozen_server() {
    let services = services().await;
    let valkey = services.valkey().unwrap();
    let redis = client(&valkey.url());
    assert_eq!(remaining(&redis, "a").await, 9);
    valkey.freeze().await.unwrap();
    let asked = Instant::now();
    let refused = join_all((0..5000).map(|_| take(&redis, "b"))).await;
    assert!(refused.iter().all(Result::is_err));
    assert!(asked.elapsed() < 4 * Redis::CALL_LIMIT, "{:?}", asked.elapsed());
    valkey.thaw().await.unwrap();
    redis.reset();
    tokio::time::timeout(Duration::from_secs(1), redis.probe()).await.unwrap().unwrap();
    assert_eq!(remaining(&redis, "a").await, 8);
}
