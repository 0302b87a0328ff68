//! The first answer to an `Idempotency-Key` is given again, in the same transaction's terms.

use kernel::{
    Code, Error, Result,
    answer::Answer,
    audit::Change,
    caller::{Caller, RequestContext},
};

use crate::scene::{Scene, Thing};

async fn make(scene: &Scene, request: RequestContext, name: &str) -> Result<Answer<Thing>> {
    scene
        .core
        .write_once(&scene.asks(request), async |unit| {
            unit.audit("thing.created", name, Change::NONE);
            Answer::created(&Thing { name: name.to_owned() })
        })
        .await
}

#[tokio::test]
async fn a_second_request_with_the_key_is_given_the_first_answer() {
    let scene = Scene::new().await;
    let first = make(&scene, scene.keyed("k", "a"), "one").await.unwrap();
    let again = make(&scene, scene.keyed("k", "a"), "two").await.unwrap();
    assert_eq!((again.head(), again.body()), (first.head(), first.body()));
    assert!(again.is_replayed() && !first.is_replayed());
    assert_eq!((scene.count("audit_events").await, scene.count("idempotent_requests").await), (1, 1));

    let reused = make(&scene, scene.keyed("k", "b"), "three").await.unwrap_err();
    assert_eq!(reused.code(), Code::IdempotencyKeyReused);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let scene = Scene::new().await;
    let by = scene.asks(scene.keyed("k", "a"));
    let refused: Result<Answer<Thing>> =
        scene.core.write_once(&by, async |_| Err(Error::new(Code::LimitReached, "enough"))).await;
    assert_eq!(refused.unwrap_err().code(), Code::LimitReached);
    assert!(!make(&scene, scene.keyed("k", "a"), "one").await.unwrap().is_replayed());
}

#[tokio::test]
async fn of_two_at_once_one_is_done_and_the_other_told_to_wait() {
    let scene = Scene::new().await;
    let (one, other) =
        tokio::join!(make(&scene, scene.keyed("k", "a"), "one"), make(&scene, scene.keyed("k", "a"), "two"));
    let outcomes = [one, other].map(|done| match done {
        Ok(answer) if answer.is_replayed() => "replayed",
        Ok(_) => "done",
        Err(error) if error.code() == Code::IdempotencyInFlight => "in flight",
        Err(error) => panic!("{error}"),
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "done").count(), 1, "{outcomes:?}");
    assert_eq!(scene.count("audit_events").await, 1);
}

/// A client that lost the answer sends the same bytes again: key, signature and nonce.
#[tokio::test]
async fn a_signed_request_that_comes_again_with_its_key_is_no_replay() {
    let scene = Scene::new().await;
    let signed = RequestContext { idempotency_key: scene.keyed("k", "a").idempotency_key, ..scene.signed() };
    let first = make(&scene, signed.clone(), "one").await.unwrap();
    let again = make(&scene, signed.clone(), "two").await.unwrap();
    assert_eq!(again.body(), first.body());
    let other_key = RequestContext { idempotency_key: scene.keyed("l", "a").idempotency_key, ..signed };
    assert_eq!(make(&scene, other_key, "three").await.unwrap_err().code(), Code::NonceReplayed);
}

#[tokio::test]
async fn requests_that_are_done_together_are_admitted_each_by_itself() {
    let scene = Scene::new().await;
    make(&scene, scene.keyed("before", "a"), "one").await.unwrap();
    let replayed = scene.signed();
    scene.core.write(&scene.asks(replayed.clone()), async |_| Ok(())).await.unwrap();
    let requests = [
        scene.keyed("before", "a"),
        scene.keyed("before", "b"),
        scene.keyed("new", "a"),
        scene.keyed("new", "a"),
        RequestContext::default(),
        replayed,
        scene.signed(),
    ];
    let by: Vec<_> = requests.into_iter().map(|request| scene.asks(request)).collect();
    let callers: Vec<Caller<'_>> = by.iter().map(Caller::from).collect();
    let system = Caller::system(kernel::DbScope::Project(scene.project));
    let admitted = scene
        .core
        .write(system, async |unit| {
            let admitted = unit.admit_all(&callers, 0).await?;
            unit.store_responses(&[(callers[2], b"{}".to_vec())]).await?;
            Ok(admitted)
        })
        .await
        .unwrap();
    let admitted: Vec<_> = admitted.into_iter().map(|stands| stands.map(|first| first.is_some())).collect();
    let outcomes: Vec<_> = admitted.into_iter().map(|stands| stands.map_err(|error| error.code())).collect();
    assert_eq!(
        outcomes,
        [
            Ok(true),
            Err(Code::IdempotencyInFlight),
            Ok(false),
            Err(Code::IdempotencyInFlight),
            Ok(false),
            Err(Code::NonceReplayed),
            Ok(false),
        ]
    );
    let second =
        scene.core.write(system, async |unit| unit.admit_all(&callers[2..3], 0).await).await.unwrap();
    assert_eq!(second[0].as_ref().unwrap().as_deref(), Some(b"{}".as_slice()));
}
