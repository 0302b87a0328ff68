//! Periodic tasks run at most once per slot, whichever worker has the lease.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use kernel::queue::{lease, schedule};
use worker::{schedule::Periodic, timing::Timing};

use crate::support::{Scene, eventually, quick};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_slot_is_taken_once_and_only_under_the_newest_epoch() {
    let scene = Scene::new().await;
    let db = &scene.core.db;
    let epoch = lease::acquire(db, "holder", HOUR).await.unwrap().unwrap();
    schedule::register(db, &["test.a", "test.b"]).await.unwrap();
    let tasks = [("test.a", HOUR), ("test.b", HOUR)];
    assert!(schedule::take_slots(db, epoch - 1, &tasks).await.unwrap().is_empty());
    let mut taken = schedule::take_slots(db, epoch, &tasks).await.unwrap();
    taken.sort();
    assert_eq!(taken, ["test.a", "test.b"]);
    assert!(schedule::take_slots(db, epoch, &tasks).await.unwrap().is_empty());

    sqlx::query("UPDATE schedules SET slot = slot - interval '1 hour' WHERE name = 'test.b'")
        .execute(&scene.pool)
        .await
        .unwrap();
    schedule::register(db, &["test.a", "test.b"]).await.unwrap();
    assert_eq!(schedule::take_slots(db, epoch, &tasks).await.unwrap(), ["test.b"]);
}

#[tokio::test]
async fn two_workers_and_a_restart_run_a_task_once_per_slot() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let hourly = Periodic {
        name: "test.hourly",
        every: HOUR,
        run: |_| {
            Box::pin(async {
                RUNS.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        },
    };
    let scene = Scene::new().await;
    let first = scene.worker_with(quick(), vec![hourly]).working().await;
    let second = scene.worker_with(quick(), vec![hourly]).standing_by().await;
    eventually("it ran", || async { RUNS.load(Ordering::SeqCst) == 1 }).await;
    first.kill();
    let second = second.working().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 1, "the slot was taken");

    sqlx::query("UPDATE schedules SET slot = slot - interval '1 hour'").execute(&scene.pool).await.unwrap();
    eventually("it ran in the next slot", || async { RUNS.load(Ordering::SeqCst) == 2 }).await;
    second.terminate().await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_task_that_panics_fails_alone() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let well: Periodic = Periodic {
        name: "test.well",
        every: Duration::from_secs(1),
        run: |_| {
            Box::pin(async {
                RUNS.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        },
    };
    let ill =
        Periodic { name: "test.ill", every: Duration::from_secs(1), run: |_| Box::pin(async { panic!("as told") }) };
    let scene = Scene::new().await;
    let _worker = scene.worker_with(Timing { ..quick() }, vec![ill, well]).working().await;
    eventually("the other goes on", || async { RUNS.load(Ordering::SeqCst) >= 3 }).await;
    eventually("the error is kept", || async {
        let error: Option<String> = sqlx::query_scalar("SELECT last_error FROM schedules WHERE name = 'test.ill'")
            .fetch_one(&scene.pool)
            .await
            .unwrap();
        error.is_some_and(|error| error.contains("panicked"))
    })
    .await;
}
