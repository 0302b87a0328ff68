//! A job exists if and only if the unit of work that enqueued it committed.

use kernel::{
    DbScope, Unit,
    caller::{Caller, RequestContext},
};

use crate::support::{Act, Probe, Scene, eventually};

#[tokio::test]
async fn a_job_commits_with_its_unit() {
    let scene = Scene::new().await;
    let worker = Caller::system(DbScope::Worker);

    let mut unit = Unit::begin(&scene.core, worker).await.unwrap();
    unit.enqueue(&Probe::new("rolled back", Act::Succeed)).unwrap();
    unit.flush().await.unwrap();
    unit.roll_back().await;
    assert_eq!(scene.jobs().await, 0);

    let mut unit = Unit::begin(&scene.core, worker).await.unwrap();
    unit.enqueue(&Probe::new("committed", Act::Succeed)).unwrap();
    unit.flush().await.unwrap();
    assert_eq!(scene.jobs().await, 0, "nobody sees it before the commit");
    unit.commit().await.unwrap();
    assert_eq!(scene.jobs().await, 1);

    let _worker = scene.worker();
    eventually("the job is done", || async { scene.jobs().await == 0 }).await;
    assert_eq!(scene.runs_of("committed"), 1);
    assert_eq!(scene.runs_of("rolled back"), 0);
}

#[tokio::test]
async fn a_request_may_enqueue_and_nothing_else() {
    let scene = Scene::new().await;
    let request = RequestContext::default();
    let mut unit = Unit::begin(&scene.core, Caller::anonymous(&request)).await.unwrap();
    unit.enqueue(&Probe::new("by a request", Act::Succeed)).unwrap();
    unit.flush().await.unwrap();
    let read = sqlx::query("SELECT payload FROM jobs").execute(&mut *unit).await;
    assert!(read.is_err_and(|error| error.to_string().contains("permission denied")));
}

#[tokio::test]
async fn many_jobs_carry_their_trace() {
    let scene = Scene::new().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = RequestContext::of_job(Some(trace.to_owned()));
    let written = scene.core.write(Caller::anonymous(&request), async |unit| {
        for number in 0..250 {
            unit.enqueue(&Probe::new(number, Act::Succeed))?;
        }
        Ok(())
    });
    written.await.unwrap();
    assert_eq!(scene.jobs().await, 250);

    let _worker = scene.worker();
    eventually("the jobs are done", || async { scene.jobs().await == 0 }).await;
    let seen = scene.seen();
    assert_eq!(seen.len(), 250);
    assert!(seen.iter().all(|(_, attempt)| attempt.request.traceparent.as_deref() == Some(trace)));
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    let scene = Scene::new().await;
    let later = scene.core.clock.now() + chrono::TimeDelta::hours(1);
    let worker = Caller::system(DbScope::Worker);
    let probe = Probe::new("later", Act::Succeed);
    scene.core.write(worker, async |unit| unit.enqueue_at(&probe, later)).await.unwrap();
    scene.enqueue(&[Probe::new("now", Act::Succeed)]).await;

    let _worker = scene.worker();
    eventually("the due job is done", || async { scene.jobs().await == 1 }).await;
    assert_eq!(scene.runs_of("later"), 0);
    scene.make_due().await;
    eventually("the other is done", || async { scene.jobs().await == 0 }).await;
}
