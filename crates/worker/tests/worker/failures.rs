//! A fault in a run is a failure of that job alone, with its error stored; retries wait, durably.

use kernel::queue::Job;

use crate::support::{Act, Foreign, Hasty, Mortal, Patient, Probe, Row, Scene, eventually};

/// Runs a job that fails once while the worker continues with others.
async fn fails_once<J: Job>(job: J) -> Row {
    let scene = Scene::new().await;
    scene.enqueue(&[job]).await;
    let _worker = scene.worker().working().await;
    eventually("the failure is kept", || async { scene.only_job().await.last_error.is_some() }).await;
    let row = scene.only_job().await;
    assert_eq!((row.attempts, row.dead), (1, false));
    assert!(row.due_in > 0.0, "it waits");
    scene.enqueue(&[Probe::new("another", Act::Succeed)]).await;
    eventually("the worker goes on", || async { scene.runs_of("another") == 1 }).await;
    row
}

#[tokio::test]
async fn an_error_is_kept() {
    let row = fails_once(Probe::new("job", Act::Fail)).await;
    assert_eq!(row.error(), "job failed as told");
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let row = fails_once(Probe::new("job", Act::Panic)).await;
    assert_eq!(row.error(), "the handler panicked: job panicked as told");
}

#[tokio::test]
async fn a_timeout_is_a_failure() {
    let row = fails_once(Hasty::new("job", Act::Hang)).await;
    assert_eq!(row.error(), "the handler was stopped: it may take 100ms");
}

#[tokio::test]
async fn an_unknown_kind_is_a_failure() {
    let row = fails_once(Foreign::new("job", Act::Succeed)).await;
    assert_eq!(row.error(), "this worker knows no job of kind `test.foreign`");
}

/// A job of the kind of a [`Probe`], with another payload.
#[derive(serde::Serialize, serde::Deserialize)]
struct Undecodable(Vec<u8>);

impl Job for Undecodable {
    const KIND: &'static str = Probe::KIND;
}

#[tokio::test]
async fn an_undecodable_payload_is_a_failure() {
    let row = fails_once(Undecodable(vec![1, 2])).await;
    assert!(row.error().starts_with("the payload is not one of a `test.probe` job: "), "{}", row.error());
}

#[tokio::test]
async fn the_last_failure_is_the_end() {
    let scene = Scene::new().await;
    scene.enqueue(&[Mortal::new("job", Act::Fail)]).await;
    let _worker = scene.worker();
    eventually("it is dead", || async { scene.only_job().await.dead }).await;
    let numbers: Vec<(u16, u16)> = scene.seen().iter().map(|(_, run)| (run.number, run.last)).collect();
    assert_eq!(numbers, [(1, 2), (2, 2)]);
    assert_eq!(scene.only_job().await.error(), "job failed as told");
}

#[tokio::test]
async fn retries_wait_longer_each_time_and_across_restarts() {
    let scene = Scene::new().await;
    scene.enqueue(&[Patient::new("job", Act::Fail)]).await;
    for failed in 1..=3_u8 {
        let worker = scene.worker().working().await;
        eventually("it failed again", || async {
            let row = scene.only_job().await;
            row.attempts == i16::from(failed) && row.last_error.is_some()
        })
        .await;
        eventually("its wait is written", || async { scene.only_job().await.due_in > 60.0 }).await;
        worker.terminate().await;
        // An hour for each failure, of which the jitter takes up to half.
        let (least, most) = (1800.0 * f64::from(failed) - 60.0, 3600.0 * f64::from(failed));
        let row = scene.only_job().await;
        assert!((least..=most).contains(&row.due_in), "after failure {failed} it waits {} s", row.due_in);
        assert_eq!(scene.runs_of("job"), usize::from(failed), "it did not run before its time");
        scene.make_due().await;
    }
}

#[tokio::test]
async fn a_snooze_is_no_failure() {
    let scene = Scene::new().await;
    scene.enqueue(&[Mortal::new("job", Act::Snooze)]).await;
    let _worker = scene.worker().working().await;
    for run in 1..=5 {
        eventually("it snoozes", || async {
            scene.runs_of("job") == run && scene.only_job().await.due_in > 60.0
        })
        .await;
        let row = scene.only_job().await;
        assert_eq!((row.attempts, row.dead, row.last_error), (0, false, None));
        scene.make_due().await;
    }
}
