//! A worker that is told to stop lets its jobs end, or hands them back without charging an attempt.

use std::{sync::atomic::Ordering, time::Duration};

use worker::timing::Timing;

use crate::support::{Act, Probe, Scene, eventually, quick};

#[tokio::test]
async fn running_jobs_end_and_waiting_ones_are_given_back() {
    let scene = Scene::new().await;
    scene.enqueue(&(0..4).map(|number| Probe::new(number, Act::WaitForGate)).collect::<Vec<_>>()).await;
    let patient = Timing { drain: Duration::from_secs(20), ..quick() };
    let worker = scene.worker_with(patient, Vec::new()).working().await;
    eventually("all slots are taken", || async { scene.seen().len() == 4 }).await;
    scene
        .enqueue(
            &(0..10).map(|number| Probe::new(format!("behind {number}"), Act::Succeed)).collect::<Vec<_>>(),
        )
        .await;
    let claimed = "SELECT count(*) FROM jobs WHERE attempts > 0";
    eventually("some wait in the worker", || async {
        sqlx::query_scalar::<_, i64>(claimed).fetch_one(&scene.pool).await.unwrap() > 4
    })
    .await;

    worker.stop.cancel();
    eventually("what waits is given back at once", || async {
        sqlx::query_scalar::<_, i64>(claimed).fetch_one(&scene.pool).await.unwrap() == 4
    })
    .await;
    for _ in 0..4 {
        scene.gate.notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.terminate().await;
    assert_eq!(scene.finished.load(Ordering::SeqCst), 4);
    assert_eq!(scene.jobs().await, 10);
    let untouched: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM jobs WHERE attempts = 0 AND run_at <= now() AND last_error IS NULL",
    )
    .fetch_one(&scene.pool)
    .await
    .unwrap();
    assert_eq!(untouched, 10);
}

#[tokio::test]
async fn a_job_that_does_not_end_is_given_back() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("endless", Act::Hang)]).await;
    let worker = scene.worker().working().await;
    eventually("it runs", || async { scene.runs_of("endless") == 1 }).await;
    worker.terminate().await;
    let row = scene.only_job().await;
    assert_eq!((row.attempts, row.dead, row.last_error.as_deref()), (0, false, None));
    assert!(row.due_in <= 0.0, "anybody may take it at once");
    assert!(row.lease > 1, "its old claim is stale");
}

#[tokio::test]
async fn a_worker_that_does_nothing_ends_at_once() {
    let scene = Scene::new().await;
    let holder =
        scene.worker_with(Timing { drain: Duration::from_secs(3600), ..quick() }, Vec::new()).working().await;
    let standby = scene.worker().standing_by().await;
    standby.terminate().await;
    holder.terminate().await;
}
