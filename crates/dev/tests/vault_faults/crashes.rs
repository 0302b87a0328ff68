//! Postgres dies in the middle of a COMMIT.

use std::{sync::Arc, time::Duration};

use dev::{AppOptions, TestApp};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use testkit::{
    PgFault, Services,
    pg_fault::{Cut, Fault},
    services::Options,
};

use crate::check::sound;

/// Postgres gives the number of a transaction whose log was lost with it to another one.
/// `pg_xact_status` then answers for that one.
#[tokio::test]
async fn the_number_of_a_lost_transaction_is_not_taken_for_its_commit() {
    let options = Options { valkey: false, nats: false, ..Options::durable() };
    let services = Arc::new(Services::start(options).await.unwrap());
    let postgres = &services.postgres;
    let mut direct = PgConnection::connect(&postgres.url()).await.unwrap();
    // Only a commit writes the log of transactions to the disk.
    direct.execute("ALTER SYSTEM SET wal_writer_delay = '10s'").await.unwrap();
    postgres.service().stop().await.unwrap();
    postgres.service().start().await.unwrap();
    let way = Arc::new(PgFault::before(postgres.port()).await.unwrap());
    let options = AppOptions {
        services: Some(Arc::clone(&services)),
        through: Some(Arc::clone(&way)),
        accelerators: false,
        worker: false,
        ..AppOptions::default()
    };
    let app = TestApp::start_with(options).await.unwrap();
    let seal = || {
        let seal = json!({"kind": "fault", "verdict": "SEAL", "payload": {"id": "lost"}});
        app.post("/v1/vault/seals").key(app.key()).json(&seal).send()
    };
    way.hold(true);
    way.arm(&[Fault { statement: "COMMIT", within: Some("vault_lock()"), cut: Cut::Before, every: 1 }]);
    let lost = tokio::spawn(seal());
    while way.struck()[0].1 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    way.disarm();
    postgres.service().kill().await.unwrap();
    postgres.service().start().await.unwrap();
    let mut direct = PgConnection::connect(app.database().url()).await.unwrap();
    for _ in 0..50 {
        direct.execute("SELECT pg_current_xact_id()").await.unwrap();
    }
    way.hold(false);
    let answer = lost.await.unwrap().unwrap();
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!((answer.status, log.size()), (503, 0), "{}", answer.text());

    let again = seal().await.unwrap().expect(201).unwrap();
    assert_eq!(sound(app.database().url(), app.client(), app.key()).await.verify(&again), 0);
    app.stop().await.unwrap();
}
