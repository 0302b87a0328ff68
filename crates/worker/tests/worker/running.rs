//! Claims are kept while jobs run, and hints make the pick-up fast.

use std::time::Duration;

use kernel::ports::Topic;
use worker::timing::Timing;

use crate::support::{Act, Probe, Scene, eventually, quick};

#[tokio::test]
async fn a_job_that_outlasts_its_claim_runs_once() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("long", Act::WaitForGate)]).await;
    let _worker = scene.worker().working().await;
    eventually("it runs", || async { scene.runs_of("long") == 1 }).await;
    tokio::time::sleep(quick().claim * 2).await;
    assert_eq!(scene.runs_of("long"), 1, "its claim was renewed");
    scene.gate.notify_one();
    eventually("it is done", || async { scene.jobs().await == 0 }).await;
    assert_eq!(scene.runs_of("long"), 1);
}

#[tokio::test]
async fn jobs_that_wait_behind_long_ones_keep_their_claims() {
    let scene = Scene::new().await;
    let long: Vec<Probe> = (0..4).map(|number| Probe::new(number, Act::WaitForGate)).collect();
    scene.enqueue(&long).await;
    let _worker = scene.worker().working().await;
    eventually("all slots are taken", || async { scene.seen().len() == 4 }).await;
    scene
        .enqueue(
            &(0..20).map(|number| Probe::new(format!("behind {number}"), Act::Succeed)).collect::<Vec<_>>(),
        )
        .await;
    tokio::time::sleep(quick().claim * 2).await;
    assert_eq!(scene.seen().len(), 4);
    for _ in 0..4 {
        scene.gate.notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eventually("all are done", || async { scene.jobs().await == 0 }).await;
    assert_eq!(scene.seen().len(), 24, "each ran once");
}

#[tokio::test]
async fn a_hint_from_another_process_is_enough_without_polling() {
    let scene = Scene::new().await;
    let never = Duration::from_secs(3600);
    let _worker = scene.worker_with(Timing { poll: never, ..quick() }, Vec::new()).working().await;
    // Hints may be lost while the worker has not begun to listen.
    scene.enqueue(&[Probe::new("first", Act::Succeed)]).await;
    eventually("the worker listens", || async {
        scene.core.wake.notify(Topic::Jobs);
        scene.runs_of("first") == 1
    })
    .await;
    for number in 0..20 {
        scene.enqueue(&[Probe::new(number, Act::Succeed)]).await;
        scene.core.wake.notify(Topic::Jobs);
        eventually("the job is picked up", || async { scene.runs_of(&number.to_string()) == 1 }).await;
    }
}

#[tokio::test]
async fn polling_is_enough_without_hints() {
    let scene = Scene::new().await;
    let _worker = scene.worker().working().await;
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    eventually("the job is picked up", || async { scene.runs_of("job") == 1 }).await;
}

#[tokio::test]
async fn no_more_jobs_run_at_a_time_than_there_are_slots() {
    let scene = Scene::new().await;
    scene.enqueue(&(0..30).map(|number| Probe::new(number, Act::WaitForGate)).collect::<Vec<_>>()).await;
    let _worker = scene.worker().working().await;
    eventually("all slots are taken", || async { scene.seen().len() == 4 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.seen().len(), 4);
    let claimed: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE attempts = 1")
        .fetch_one(&scene.pool)
        .await
        .unwrap();
    assert!(claimed <= 4 + 4 * 4, "{claimed} jobs are claimed for 4 slots and the places before them");
}
