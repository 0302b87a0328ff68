//! A job exists if and only if the transaction that enqueued it committed.

use kernel::queue::{Enqueue, enqueue};

use crate::support::{Act, Probe, Scene, eventually};

#[tokio::test]
async fn a_job_commits_with_its_transaction() {
    let scene = Scene::new().await;
    let now = scene.core.clock.now();

    let mut tx = scene.pool.begin().await.unwrap();
    enqueue(&mut tx, &Probe::new("rolled back", Act::Succeed), now).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(scene.jobs().await, 0);

    let mut tx = scene.pool.begin().await.unwrap();
    enqueue(&mut tx, &Probe::new("committed", Act::Succeed), now).await.unwrap();
    assert_eq!(scene.jobs().await, 0, "nobody sees it before the commit");
    tx.commit().await.unwrap();
    assert_eq!(scene.jobs().await, 1);

    let _worker = scene.worker();
    eventually("the job is done", || async { scene.jobs().await == 0 }).await;
    assert_eq!(scene.runs_of("committed"), 1);
    assert_eq!(scene.runs_of("rolled back"), 0);
}

#[tokio::test]
async fn a_request_may_enqueue_and_nothing_else() {
    let scene = Scene::new().await;
    let mut tx = scene.core.db.begin(kernel::Caller::Anonymous).await.unwrap();
    enqueue(&mut tx, &Probe::new("by a request", Act::Succeed), scene.core.clock.now()).await.unwrap();
    let read = sqlx::query("SELECT payload FROM jobs").execute(&mut *tx).await;
    assert!(read.is_err_and(|error| error.to_string().contains("permission denied")));
}

#[tokio::test]
async fn many_jobs_carry_their_trace() {
    let scene = Scene::new().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let jobs: Vec<Probe> = (0..250).map(|number| Probe::new(number, Act::Succeed)).collect();
    let mut tx = scene.pool.begin().await.unwrap();
    let due = Enqueue::at(scene.core.clock.now()).traceparent(Some(trace));
    due.all(&mut tx, &jobs).await.unwrap();
    due.all::<Probe>(&mut tx, &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scene.jobs().await, 250);

    let _worker = scene.worker();
    eventually("the jobs are done", || async { scene.jobs().await == 0 }).await;
    let seen = scene.seen();
    assert_eq!(seen.len(), 250);
    assert!(seen.iter().all(|(_, attempt)| attempt.traceparent.as_deref() == Some(trace)));
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    let scene = Scene::new().await;
    let mut tx = scene.pool.begin().await.unwrap();
    let later = scene.core.clock.now() + chrono::TimeDelta::hours(1);
    enqueue(&mut tx, &Probe::new("later", Act::Succeed), later).await.unwrap();
    tx.commit().await.unwrap();
    scene.enqueue(&[Probe::new("now", Act::Succeed)]).await;

    let _worker = scene.worker();
    eventually("the due job is done", || async { scene.jobs().await == 1 }).await;
    assert_eq!(scene.runs_of("later"), 0);
    scene.make_due().await;
    eventually("the other is done", || async { scene.jobs().await == 0 }).await;
}
