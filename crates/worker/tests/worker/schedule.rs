//! Periodic tasks run at most once per slot, whichever worker has the lease.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use kernel::queue::{
    lease,
    schedule::{self, Schedule::Daily, Schedule::Every, Scheduled, Slot},
};
use worker::periodic::Periodic;

use crate::support::{Scene, eventually, quick};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Makes the task's next slot begin.
async fn an_hour_passes(scene: &Scene, name: &str) {
    sqlx::query("UPDATE schedules SET slot = slot - interval '1 hour' WHERE name = $1")
        .bind(name)
        .execute(&scene.pool)
        .await
        .unwrap();
}

/// A worker that was frozen during a run ends it when another has taken a newer slot.
#[tokio::test]
async fn a_run_that_ends_late_says_nothing_of_a_newer_slot() {
    let scene = Scene::new().await;
    let db = &scene.core.db;
    let epoch = lease::acquire(db, "holder", HOUR).await.unwrap().unwrap();
    let tasks: [Scheduled<'_>; 1] = [("test.late", Every(HOUR))];
    schedule::register(db, &tasks).await.unwrap();
    // The slot before this one, as the frozen worker has it.
    an_hour_passes(&scene, "test.late").await;
    let newer = schedule::take_slots(db, epoch, &tasks).await.unwrap().remove(0);
    let late = Slot { start: newer.start - HOUR, ..newer.clone() };
    let recorded = async || -> Option<String> {
        sqlx::query_scalar("SELECT last_error FROM schedules WHERE name = 'test.late'")
            .fetch_one(scene.core.db.pool())
            .await
            .unwrap()
    };
    schedule::finish(db, &late, Some("late")).await.unwrap();
    assert_eq!(recorded().await, None);
    schedule::finish(db, &newer, Some("newer")).await.unwrap();
    assert_eq!(recorded().await.as_deref(), Some("newer"));
}

#[tokio::test]
async fn a_slot_is_taken_once_and_only_under_the_newest_epoch() {
    let scene = Scene::new().await;
    let db = &scene.core.db;
    let epoch = lease::acquire(db, "holder", HOUR).await.unwrap().unwrap();
    let tasks: [Scheduled<'_>; 2] = [("test.a", Every(HOUR)), ("test.b", Every(HOUR))];
    schedule::register(db, &tasks).await.unwrap();
    let take = async |epoch| {
        let taken = schedule::take_slots(db, epoch, &tasks).await.unwrap();
        let mut names: Vec<_> = taken.into_iter().map(|slot| slot.name).collect();
        names.sort();
        names
    };
    assert!(take(epoch).await.is_empty(), "a new task waits for its next slot");

    an_hour_passes(&scene, "test.a").await;
    an_hour_passes(&scene, "test.b").await;
    assert!(take(epoch - 1).await.is_empty());
    assert_eq!(take(epoch).await, ["test.a", "test.b"]);
    assert!(take(epoch).await.is_empty());

    an_hour_passes(&scene, "test.b").await;
    schedule::register(db, &tasks).await.unwrap();
    assert_eq!(take(epoch).await, ["test.b"]);
}

#[tokio::test]
async fn a_daily_slot_begins_at_its_hour() {
    let scene = Scene::new().await;
    let db = &scene.core.db;
    let tasks: Vec<String> = (0..24).map(|hour| format!("test.{hour}")).collect();
    let scheduled: Vec<Scheduled<'_>> =
        (0..24).zip(&tasks).map(|(hour, name)| (name.as_str(), Daily(hour))).collect();
    schedule::register(db, &scheduled).await.unwrap();
    let right: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM schedules \
         WHERE extract(hour FROM slot AT TIME ZONE 'UTC') = split_part(name, '.', 2)::int \
               AND extract(minute FROM slot) = 0 AND slot <= now() AND slot > now() - interval '1 day'",
    )
    .fetch_one(&scene.pool)
    .await
    .unwrap();
    assert_eq!(right, 24);
}

#[tokio::test]
async fn two_workers_and_a_restart_run_a_task_once_per_slot() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = |_| async {
        RUNS.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    let hourly = Periodic::new("test.hourly", Every(HOUR), run);
    let scene = Scene::new().await;
    schedule::register(&scene.core.db, &[("test.hourly", Every(HOUR))]).await.unwrap();
    an_hour_passes(&scene, "test.hourly").await;
    let first = scene.worker_with(quick(), vec![hourly.clone()]).working().await;
    let second = scene.worker_with(quick(), vec![hourly]).standing_by().await;
    eventually("it ran", || async { RUNS.load(Ordering::SeqCst) == 1 }).await;
    first.kill();
    let second = second.working().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 1, "the slot was taken");

    an_hour_passes(&scene, "test.hourly").await;
    eventually("it ran in the next slot", || async { RUNS.load(Ordering::SeqCst) == 2 }).await;
    second.terminate().await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_task_that_panics_fails_alone() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let runs = |_| async {
        RUNS.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    let well = Periodic::new("test.well", Every(SECOND), runs);
    let ill = Periodic::new("test.ill", Every(SECOND), |_| async { panic!("as told") });
    let scene = Scene::new().await;
    let _worker = scene.worker_with(quick(), vec![ill, well]).working().await;
    eventually("the other goes on", || async { RUNS.load(Ordering::SeqCst) >= 3 }).await;
    eventually("the error is kept", || async {
        let error: Option<String> =
            sqlx::query_scalar("SELECT last_error FROM schedules WHERE name = 'test.ill'")
                .fetch_one(&scene.pool)
                .await
                .unwrap();
        error.is_some_and(|error| error.contains("panicked"))
    })
    .await;
}
