//! One worker works; the others stand by, ready, and take over.

use std::time::Duration;

use worker::{state::Phase, timing::Timing};

use crate::support::{Act, Probe, Scene, eventually, quick};

/// Returns a lease that does not end by itself while a test runs.
fn long_lease() -> Timing {
    Timing { lease: Duration::from_secs(3600), ..quick() }
}

#[tokio::test]
async fn a_standby_is_ready_and_takes_over_when_the_holder_vanishes() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("long", Act::WaitForGate)]).await;
    let first = scene.worker().working().await;
    eventually("the job runs", || async { scene.runs_of("long") == 1 }).await;
    let second = scene.worker().standing_by().await;
    assert!(second.state.phase().is_ready());

    first.kill();
    let second = second.working().await;
    eventually("the vanished worker's job runs again", || async { scene.runs_of("long") == 2 }).await;
    assert_eq!(scene.seen()[1].1.number, 2, "the run that vanished counts");
    // The killed worker's handler may still wait at the gate.
    scene.gate.notify_waiters();
    eventually("it is done", || async { scene.jobs().await == 0 }).await;
    second.terminate().await;
}

#[tokio::test]
async fn a_standby_runs_nothing() {
    let scene = Scene::new().await;
    let holder = scene.worker_with(long_lease(), Vec::new()).working().await;
    let standby = scene.worker().standing_by().await;
    holder.kill();
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(scene.runs_of("job"), 0);
    assert_eq!(standby.state.phase(), Phase::StandingBy);
}

#[tokio::test]
async fn a_worker_that_leaves_gives_its_lease_up_before_its_jobs_end() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("long", Act::WaitForGate)]).await;
    let timing = Timing { drain: Duration::from_secs(20), ..long_lease() };
    let first = scene.worker_with(timing, Vec::new()).working().await;
    eventually("the job runs", || async { scene.runs_of("long") == 1 }).await;
    let second = scene.worker().standing_by().await;

    first.stop.cancel();
    let second = second.working().await;
    scene.enqueue(&[Probe::new("new", Act::Succeed)]).await;
    eventually("the new holder works", || async { scene.runs_of("new") == 1 }).await;
    assert_eq!(scene.runs_of("long"), 1, "the leaving worker keeps its claim");
    scene.gate.notify_one();
    first.terminate().await;
    assert_eq!((scene.jobs().await, scene.runs_of("long")), (0, 1));
    second.terminate().await;
}

#[tokio::test]
async fn a_worker_that_loses_its_lease_stops_claiming_and_stands_by() {
    let scene = Scene::new().await;
    let worker = scene.worker_with(long_lease(), Vec::new()).working().await;
    sqlx::query("UPDATE worker_lease SET holder = 'another', epoch = epoch + 1")
        .execute(&scene.pool)
        .await
        .unwrap();
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    let worker = worker.standing_by().await;
    assert_eq!(scene.runs_of("job"), 0);

    sqlx::query("UPDATE worker_lease SET expires_at = now()").execute(&scene.pool).await.unwrap();
    let worker = worker.working().await;
    eventually("it works again", || async { scene.jobs().await == 0 }).await;
    worker.terminate().await;
}

#[tokio::test]
async fn a_worker_waits_for_its_schema() {
    let scene = Scene::new().await;
    let newest: i64 =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&scene.pool).await.unwrap();
    let forget = "UPDATE _sqlx_migrations SET success = false WHERE version = $1";
    sqlx::query(forget).bind(newest).execute(&scene.pool).await.unwrap();
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    let worker = scene.worker();
    eventually("it waits", || async { worker.state.phase() == Phase::WaitingForSchema }).await;
    assert!(!worker.state.phase().is_ready());
    assert_eq!(scene.runs_of("job"), 0);

    let remember = "UPDATE _sqlx_migrations SET success = true WHERE version = $1";
    sqlx::query(remember).bind(newest).execute(&scene.pool).await.unwrap();
    worker.working().await.terminate().await;
}
