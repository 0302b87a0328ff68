//! The helpers that the tests of the adapters share.

use std::{future::Future, time::Duration};

use adapters::{Adapters, RedisDbs, Settings, connect};
use kernel::Clock;
use testkit::{Services, TestDatabase, services::Options};

/// The time in which a change must be noticed, on a machine that is busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// Starts services that this test alone may break, with a database on them.
pub(crate) async fn breakable() -> (Services, TestDatabase) {
    let services = Services::start(Options::testing()).await.unwrap();
    let database = services.postgres.database().await.unwrap();
    (services, database)
}

pub(crate) fn only_postgres(database: &TestDatabase) -> Settings {
    Settings {
        direct_database: database.url().parse().unwrap(),
        redis_url: None,
        redis_dbs: RedisDbs::default(),
        nats_url: None,
        qdrant_url: None,
        qdrant_api_key: None,
    }
}

pub(crate) fn with_everything(services: &Services, database: &TestDatabase) -> Settings {
    Settings {
        redis_url: Some(services.valkey().unwrap().url().parse().unwrap()),
        nats_url: Some(services.nats().unwrap().url().parse().unwrap()),
        ..only_postgres(database)
    }
}

/// Connects as a process of its own would.
pub(crate) fn process(settings: Settings, database: &TestDatabase) -> Adapters {
    connect(settings, database.db(4).unwrap(), Clock::system())
}

/// Waits until `met`, or fails the test naming `what`.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, met: impl Fn() -> F) {
    let waiting = async {
        while !met().await {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, waiting).await.is_ok(), "not in {SOON:?}: {what}");
}
