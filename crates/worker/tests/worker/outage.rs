//! No fault of Postgres ends a worker.

use std::time::Duration;

use testkit::services::{Options, Services};
use worker::timing::Timing;

use crate::support::{Act, Probe, Scene, Worker, eventually, quick};

async fn kill_connections(scene: &Scene) {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&scene.pool)
    .await
    .unwrap();
}

fn jobs(round: usize) -> Vec<Probe> {
    (0..20).map(|number| Probe::new(format!("{round}.{number}"), Act::Succeed)).collect()
}

async fn all_run(scene: &Scene, rounds: usize) {
    eventually("all jobs are done", || async { scene.jobs().await == 0 }).await;
    for job in (0..rounds).flat_map(jobs) {
        assert!(scene.runs_of(&job.name) >= 1, "{} was lost", job.name);
    }
}

#[tokio::test]
async fn killed_connections_lose_no_job() {
    let scene = Scene::new().await;
    let _worker = scene.worker().working().await;
    for round in 0..10 {
        scene.enqueue(&jobs(round)).await;
        kill_connections(&scene).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        kill_connections(&scene).await;
    }
    all_run(&scene, 10).await;
}

/// A table lock makes the worker's statements wait, so that the test can kill their connections.
#[tokio::test]
async fn a_settlement_whose_connection_is_killed_is_made_again() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("job", Act::WaitForGate)]).await;
    let _worker =
        scene.worker_with(Timing { claim: Duration::from_secs(60), ..quick() }, Vec::new()).working().await;
    eventually("it runs", || async { scene.runs_of("job") == 1 }).await;
    let mut lock = scene.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    scene.gate.notify_one();
    eventually("its settlement is killed", || async {
        let killed: Option<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock' \
               AND query LIKE 'DELETE FROM jobs%'",
        )
        .fetch_optional(&scene.pool)
        .await
        .unwrap();
        killed == Some(true)
    })
    .await;
    lock.rollback().await.unwrap();
    eventually("it is settled", || async { scene.jobs().await == 0 }).await;
    assert_eq!(scene.runs_of("job"), 1, "the claim lasted, so it did not run again");
}

async fn outlives(outage: impl AsyncFn(&Services)) {
    let options = Options { valkey: false, nats: false, ..Options::testing() };
    let services = Box::pin(Services::start(options)).await.unwrap();
    let scene = Scene::on(&services.postgres).await;
    let worker: Worker = scene.worker().working().await;
    scene.enqueue(&[Probe::new("before", Act::WaitForGate)]).await;
    eventually("a job runs", || async { scene.runs_of("before") == 1 }).await;

    outage(&services).await;
    scene.gate.notify_one();
    scene.enqueue(&jobs(0)).await;
    // The running job's claim may have ended meanwhile: then it runs again, and passes the gate
    // again.
    eventually("all jobs are done", || async {
        scene.gate.notify_one();
        scene.jobs().await == 0
    })
    .await;
    all_run(&scene, 1).await;
    worker.working().await.terminate().await;
}

#[tokio::test]
async fn a_restart_of_postgres_loses_no_job() {
    outlives(async |services: &Services| {
        let postgres = services.postgres.service();
        postgres.kill().await.unwrap();
        tokio::time::sleep(quick().claim).await;
        postgres.start().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_frozen_postgres_loses_no_job() {
    outlives(async |services: &Services| {
        let postgres = services.postgres.service();
        postgres.freeze().await.unwrap();
        tokio::time::sleep(quick().claim).await;
        postgres.thaw().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_frozen_postgres_does_not_hold_up_a_shutdown() {
    let services = Box::pin(Services::start(Options { valkey: false, nats: false, ..Options::testing() }))
        .await
        .unwrap();
    let scene = Scene::on(&services.postgres).await;
    scene.enqueue(&[Probe::new("endless", Act::Hang)]).await;
    let worker = scene.worker().working().await;
    eventually("it runs", || async { scene.runs_of("endless") == 1 }).await;
    services.postgres.service().freeze().await.unwrap();
    // Bounded by the 30 s that a deployment grants.
    worker.terminate().await;
}
