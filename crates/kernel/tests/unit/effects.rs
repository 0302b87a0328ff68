//! Events and jobs are rows of the transaction; hints and forgetting follow its commit.

use kernel::{
    Code, Error,
    audit::Change,
    caller::RequestContext,
    ports::{Credential, Topic},
};

use crate::scene::{Scene, Thing, Work};

#[tokio::test]
async fn what_a_unit_collected_happens_with_its_commit() {
    let scene = Scene::new().await;
    let traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let request =
        RequestContext { traceparent: traceparent.clone(), id: "req-1".into(), ..RequestContext::default() };
    let key = scene.core.ids.next();
    scene
        .core
        .write(&scene.asks(request), async |unit| {
            unit.audit("thing.created", "thing 1", Change::created(&Thing { name: "1".into() })?);
            unit.enqueue(&Work)?;
            unit.forget(Credential::ApiKey(key));
            Ok(())
        })
        .await
        .unwrap();
    let (actor, digest, request): (String, Option<Vec<u8>>, String) =
        sqlx::query_as("SELECT actor, after_digest, request_id FROM audit_events")
            .fetch_one(scene.core.db.pool())
            .await
            .unwrap();
    let shown = kernel::crypto::sha256(br#"{"name":"1"}"#).to_vec();
    assert_eq!((actor.as_str(), digest, request.as_str()), ("anonymous", Some(shown), "req-1"));
    let traced: Option<String> =
        sqlx::query_scalar("SELECT traceparent FROM jobs").fetch_one(scene.core.db.pool()).await.unwrap();
    assert_eq!(traced, traceparent);
    assert_eq!(*scene.told.topics.lock().unwrap(), [Topic::Jobs]);
    assert_eq!(*scene.told.credentials.lock().unwrap(), [Credential::ApiKey(key)]);
}

#[tokio::test]
async fn nothing_of_a_unit_that_fails_happens() {
    let scene = Scene::new().await;
    let refused = scene
        .core
        .write(&scene.asks(RequestContext::default()), async |unit| {
            unit.audit("thing.created", "thing 1", Change::NONE);
            unit.enqueue(&Work)?;
            unit.flush().await?;
            unit.forget(Credential::ApiKey(unit.core().ids.next()));
            Err::<(), _>(Error::new(Code::LimitReached, "enough"))
        })
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::LimitReached);
    assert_eq!((scene.count("audit_events").await, scene.count("jobs").await), (0, 0));
    assert!(
        scene.told.topics.lock().unwrap().is_empty() && scene.told.credentials.lock().unwrap().is_empty()
    );
}

#[tokio::test]
async fn a_refusal_can_leave_a_trace() {
    let scene = Scene::new().await;
    let refused = scene
        .core
        .write(&scene.asks(RequestContext::default()), async |unit| {
            unit.audit("login.failed", "somebody", Change::NONE);
            Ok(Err::<(), _>(Error::new(Code::LoginFailed, "no")))
        })
        .await;
    assert_eq!(refused.unwrap().unwrap_err().code(), Code::LoginFailed);
    assert_eq!(scene.count("audit_events").await, 1);
}

#[tokio::test]
async fn a_job_for_later_wakes_nobody_now() {
    let scene = Scene::new().await;
    scene
        .core
        .write(&scene.asks(RequestContext::default()), async |unit| {
            unit.enqueue_at(&Work, unit.now() + chrono::TimeDelta::hours(1))
        })
        .await
        .unwrap();
    assert_eq!(scene.count("jobs").await, 1);
    assert!(scene.told.topics.lock().unwrap().is_empty());
}
