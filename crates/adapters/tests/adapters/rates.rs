//! Rate limits, shared by processes while Valkey answers and by nobody while it does not.

use std::time::{Duration, Instant};

use adapters::{Adapters, health::Status};
use kernel::ports::RateDecision;
use redis::AsyncCommands;

use crate::support::{breakable, only_postgres, process, until, with_everything};

/// A long window, so that nothing comes back while a test runs.
const WINDOW: u32 = 3600;

async fn spend(adapters: &Adapters, subject: &str, requests: u32) -> u32 {
    let mut allowed = 0;
    for _ in 0..requests {
        allowed += u32::from(adapters.rate.take(subject, 10, WINDOW).await.allowed);
    }
    allowed
}

async fn is_up(adapters: &Adapters) -> bool {
    adapters.health.snapshot().await.redis.status == Status::Ok
}

#[tokio::test]
async fn a_quota_is_shared_and_an_outage_neither_multiplies_it_nor_locks_anyone_out() {
    let (services, database) = breakable().await;
    let valkey = services.valkey().unwrap();
    let first = process(with_everything(&services, &database), &database);
    let second = process(with_everything(&services, &database), &database);
    until("both up", async || is_up(&first).await && is_up(&second).await).await;

    assert_eq!(spend(&first, "shared", 6).await + spend(&second, "shared", 6).await, 10);
    let refused = first.rate.take("shared", 10, WINDOW).await;
    assert_eq!((refused.allowed, refused.remaining, refused.retry_after_seconds), (false, 0, 360));

    // The server has forgotten its scripts, which costs one more round trip and no failure.
    let mut connection =
        redis::Client::open(valkey.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut connection).await.unwrap();
    let decision = first.rate.take("other", 10, WINDOW).await;
    let expected = RateDecision { allowed: true, remaining: 9, reset_seconds: 360, retry_after_seconds: 0 };
    assert_eq!(decision, expected);
    let _: () = redis::cmd("SELECT").arg(5).query_async(&mut connection).await.unwrap();
    let lifetime: i64 = connection.pttl("holdfast:rate:other").await.unwrap();
    assert!((1..=360_000).contains(&lifetime), "a key ends when it says nothing more: {lifetime}");

    // While it is frozen a burst costs one short wait, and each process remembers the requests that
    // it let through.
    valkey.freeze().await.unwrap();
    let frozen_at = Instant::now();
    let burst = futures::future::join_all((0..200).map(|_| first.rate.take("shared", 10, WINDOW))).await;
    assert!(frozen_at.elapsed() < Duration::from_secs(2), "{:?}", frozen_at.elapsed());
    let allowed = burst.iter().filter(|decision| decision.allowed).count();
    assert!(allowed <= 4, "of its own ten this process had let six through, not {allowed}");
    assert_eq!(spend(&first, "newcomer", 10).await, 10, "nobody is locked out");

    valkey.thaw().await.unwrap();
    until("up again", async || is_up(&first).await && is_up(&second).await).await;
    assert_eq!(spend(&first, "newcomer", 10).await, 10, "at most one more window, and no phantom refusal");
    assert_eq!(spend(&first, "shared", 3).await, 0);

    valkey.flush().await.unwrap();
    assert_eq!(spend(&second, "shared", 20).await, 10);
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn behind_a_wrong_password_each_process_counts_alone_until_it_is_right() {
    let (services, database) = breakable().await;
    let url = services.valkey().unwrap().url();
    let mut server = redis::Client::open(&*url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut password = async |password| {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("requirepass").arg(password).query_async::<()>(&mut server).await.unwrap();
    };
    password("right").await;
    let mut settings = with_everything(&services, &database);
    settings.redis_url = Some(url.replace("redis://", "redis://:hunter2@").parse().unwrap());
    let (first, second) = (process(settings.clone(), &database), process(settings, &database));
    let refused = async |adapters: &Adapters| adapters.health.snapshot().await.redis.status == Status::Error;
    until("both refused", async || refused(&first).await && refused(&second).await).await;
    let detail = first.health.snapshot().await.redis.detail.unwrap();
    assert!(!detail.contains("hunter2") && !detail.contains("127.0.0.1"), "{detail}");
    assert_eq!((spend(&first, "locked", 25).await, spend(&second, "locked", 25).await), (10, 10));

    password("hunter2").await;
    until("both up", async || is_up(&first).await && is_up(&second).await).await;
    assert_eq!(spend(&first, "open", 6).await + spend(&second, "open", 6).await, 10);
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn without_redis_each_process_counts_alone() {
    let database = testkit::services::shared().await.unwrap().postgres.database().await.unwrap();
    let (first, second) =
        (process(only_postgres(&database), &database), process(only_postgres(&database), &database));
    // Two processes let two windows' quotas through: one more than they would together.
    assert_eq!((spend(&first, "alone", 25).await, spend(&second, "alone", 25).await), (10, 10));
    assert_eq!((spend(&first, "alone", 5).await, spend(&second, "alone", 5).await), (0, 0));
    first.close().await;
    second.close().await;
}
