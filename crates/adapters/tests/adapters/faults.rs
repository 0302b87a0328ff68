//! Health, while the dependencies come and go.

use std::time::{Duration, Instant};

use adapters::{
    Health,
    health::{Snapshot, Status},
};
use kernel::MIGRATOR;
use sqlx::{Connection, PgConnection};
use testkit::services::shared;

use crate::support::{breakable, only_postgres, process, until, with_everything};

/// Takes a snapshot, which must not be slow, whatever else is.
async fn look(health: &Health) -> Snapshot {
    let asked = Instant::now();
    let snapshot = health.snapshot().await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    snapshot
}

fn statuses(snapshot: &Snapshot) -> [Status; 3] {
    [snapshot.database.status, snapshot.redis.status, snapshot.nats.status]
}

#[tokio::test]
async fn postgres_alone_is_ready_and_what_is_not_configured_is_disabled() {
    let database = shared().await.unwrap().postgres.database().await.unwrap();
    let adapters = process(only_postgres(&database), &database);
    until("ready", async || look(&adapters.health).await.ready()).await;
    let snapshot = look(&adapters.health).await;
    assert_eq!(statuses(&snapshot), [Status::Ok, Status::Disabled, Status::Disabled]);
    assert_eq!(snapshot.qdrant.status, Status::Disabled);
    assert!(snapshot.database.latency_ms.is_some() && !snapshot.degraded());
    adapters.close().await;
}

#[tokio::test]
async fn an_old_schema_is_not_ready_until_it_is_migrated() {
    let postgres = &shared().await.unwrap().postgres;
    let template = postgres.database().await.unwrap();
    let url = postgres.create_database("not_migrated_yet").await.unwrap();
    let mut settings = only_postgres(&template);
    settings.direct_database = url.parse().unwrap();
    let db = kernel::Db::lazy(url.parse().unwrap(), 2);
    let adapters = adapters::connect(settings, db, kernel::Clock::system());

    until("Postgres answers", async || look(&adapters.health).await.database.status == Status::Ok).await;
    assert!(!look(&adapters.health).await.ready());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    MIGRATOR.run(&mut connection).await.unwrap();
    until("ready", async || look(&adapters.health).await.ready()).await;
    adapters.close().await;
}

#[tokio::test]
async fn what_was_absent_at_boot_frozen_or_killed_is_used_again_when_it_is_back() {
    let (services, database) = breakable().await;
    let (valkey, nats) = (services.valkey().unwrap(), services.nats().unwrap());
    valkey.kill().await.unwrap();
    nats.kill().await.unwrap();

    let adapters = process(with_everything(&services, &database), &database);
    let all = async |wanted| statuses(&look(&adapters.health).await) == wanted;
    until("seen absent", async || all([Status::Ok, Status::Error, Status::Error]).await).await;
    assert!(look(&adapters.health).await.ready(), "an accelerator's absence is no reason not to serve");

    for round in ["absent", "frozen", "killed"] {
        if round != "absent" {
            for service in [valkey, nats] {
                if round == "frozen" {
                    service.freeze().await.unwrap()
                } else {
                    service.kill().await.unwrap()
                }
            }
            until(round, async || all([Status::Ok, Status::Error, Status::Error]).await).await;
        }
        for service in [valkey, nats] {
            if round == "frozen" { service.thaw().await.unwrap() } else { service.start().await.unwrap() }
        }
        until("back", async || all([Status::Ok; 3]).await).await;
    }
    adapters.close().await;
}

#[tokio::test]
async fn a_frozen_postgres_is_told_quickly_and_a_restarted_one_is_used_again() {
    let (services, database) = breakable().await;
    let adapters = process(with_everything(&services, &database), &database);
    until("ready", async || look(&adapters.health).await.ready()).await;

    services.postgres.freeze().await.unwrap();
    until("not ready", async || !look(&adapters.health).await.ready()).await;
    services.postgres.thaw().await.unwrap();
    until("ready again", async || look(&adapters.health).await.ready()).await;

    services.postgres.stop().await.unwrap();
    until("not ready", async || !look(&adapters.health).await.ready()).await;
    services.postgres.start().await.unwrap();
    until("ready again", async || look(&adapters.health).await.ready()).await;
    adapters.close().await;
}

#[tokio::test]
async fn a_qdrant_that_accepts_and_never_answers_slows_nothing() {
    let database = shared().await.unwrap().postgres.database().await.unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = only_postgres(&database);
    settings.qdrant_url = Some(format!("http://{}", silent.local_addr().unwrap()).parse().unwrap());
    let adapters = process(settings, &database);
    let detail = || async {
        look(&adapters.health).await.qdrant.detail.is_some_and(|detail| detail != "has not answered yet")
    };
    until("told", detail).await;
    let snapshot = look(&adapters.health).await;
    assert_eq!(snapshot.qdrant.status, Status::Error);
    assert!(!snapshot.qdrant.detail.clone().unwrap().contains("127.0.0.1"));
    assert!(snapshot.ready() && snapshot.degraded());
    adapters.close().await;
}
