//! Keys of personal data: the effect of an unreadable one, and the retirement of an old one.

use kernel::{Code, DbScope, caller::RequestContext};
use serde_json::{Value, json};
use vault::{
    self, KekRing, Rewrapped, Vault,
    fsck::{self, Check},
};

use crate::scene::{Scene, request};

fn about(subject: &str) -> Value {
    json!({"kind": "k", "verdict": "SEAL", "payload": 1, "subject": subject, "personal": {"name": "Ada"}})
}

fn plain() -> Value {
    json!({"kind": "k", "verdict": "SEAL", "payload": 1})
}

/// Returns the keys of a replica that has `second` behind `first`.
fn both(first: &KekRing, second: &KekRing) -> KekRing {
    format!("{},{}", first.reveal(), second.reveal()).parse().unwrap()
}

async fn name(vault: &Vault, scene: &Scene, index: u64) -> Result<Value, Code> {
    let seal = vault::get(vault, &scene.allowed(), index).await.map_err(|error| error.code())?;
    Ok(serde_json::from_str(seal.personal.unwrap().value.get()).unwrap())
}

#[tokio::test]
async fn a_key_that_does_not_open_fails_its_request_and_no_other() {
    let scene = Scene::new().await;
    let rotated = both(&KekRing::generate(&scene.core.ids), &scene.kek);
    let (old, new) = (scene.vault(), scene.replica(&rotated, 4));
    scene.append(&new, [about("new"), about("damaged")]).await;
    scene.append(&old, [about("old")]).await;
    let damage = "UPDATE vault_subject_keys \
                  SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) WHERE subject = 'damaged'";
    sqlx::query(damage).execute(&scene.pool).await.unwrap();

    // The last request has a sound seal in front of the one that fails: all or none.
    let requests = [
        vec![plain()],
        vec![about("new")],
        vec![about("old")],
        vec![about("fresh")],
        vec![plain(), about("damaged")],
    ];
    let requests = requests.map(|seals| (RequestContext::default(), request(seals)));
    let ended = scene.together(&old, requests.into()).await;
    let codes: Vec<_> = ended.iter().map(|one| one.as_ref().err().map(kernel::Error::code)).collect();
    assert_eq!(codes, [None, Some(Code::Internal), None, None, Some(Code::Internal)]);
    assert!(ended[1].as_ref().unwrap_err().detail().contains("VAULT_KEK"));
    assert_eq!(vault::log(&old, &scene.allowed()).await.unwrap().size, 6);
    for (vault, index, wanted) in
        [(&old, 2, Ok(())), (&old, 5, Ok(())), (&old, 0, Err(Code::Internal)), (&new, 0, Ok(()))]
    {
        assert_eq!(name(vault, &scene, index).await.map(drop), wanted, "{index}");
    }
    let count = "SELECT count(*) FROM vault_subject_keys";
    let keys: i64 = sqlx::query_scalar(count).fetch_one(&scene.pool).await.unwrap();
    assert_eq!(keys, 4, "new, damaged, old and fresh");
}

/// Takes the two steps of docs/operations.md: no request fails while replicas of both sorts run,
/// and at the end the old key is not needed.
#[tokio::test]
async fn a_key_is_rotated_in_two_steps_and_the_old_one_retired() {
    let scene = Scene::new().await;
    let (old, new) = (&scene.kek, &KekRing::generate(&scene.core.ids));
    let (behind, front) = (both(old, new), both(new, old));
    let mut index = 0;
    for replicas in [[old, &behind], [&behind, &front]] {
        for (n, writer) in replicas.iter().enumerate() {
            scene.append(&scene.replica(writer, 2), [about("all"), about(&format!("{index}.{n}"))]).await;
            for reader in replicas {
                for index in [index + 1, index] {
                    let read = name(&scene.replica(reader, 2), &scene, index).await;
                    assert_eq!(read, Ok(json!({"name": "Ada"})));
                }
            }
            index += 2;
        }
    }
    // One of five was made after the new key was in front; "all" is under the old one.
    let front = scene.replica(&front, 2);
    let mut steps = 0;
    let done = vault::rewrap(&front, |_| steps += 1).await.unwrap();
    assert_eq!((done, done.left(), steps), (Rewrapped { seen: 5, moved: 4, ..Rewrapped::default() }, 0, 1));
    assert_eq!(vault::rewrap(&front, |_| ()).await.unwrap(), Rewrapped { seen: 5, ..Rewrapped::default() });
    let retired = scene.replica(new, 2);
    for index in 0..8 {
        assert_eq!(name(&retired, &scene, index).await, Ok(json!({"name": "Ada"})), "{index}");
    }
    let check = Check::default();
    let report = Box::pin(fsck::check(&retired, scene.project().into(), &check, |_, _| {})).await.unwrap();
    assert!(report.is_clean());
    // A replica that has the old key alone reports the keys that are left.
    let done = vault::rewrap(&scene.vault(), |_| ()).await.unwrap();
    assert_eq!((done.unreadable, done.left()), (5, 5));
}

/// A rewrap that was stopped after a step continues; erasures and appends in between are kept.
#[tokio::test]
async fn many_keys_are_wrapped_anew_while_the_log_is_in_use() {
    let scene = Scene::new().await;
    let front = scene.replica(&both(&KekRing::generate(&scene.core.ids), &scene.kek), 4);
    let old = scene.vault();
    scene.append(&old, (0..700).map(|n| about(&format!("s{n:03}")))).await;
    let stopped = tokio::spawn({
        let front = front.clone();
        async move { vault::rewrap(&front, |_| panic!("stopped")).await }
    });
    assert!(stopped.await.unwrap_err().is_panic());
    vault::erase(&old, &scene.allowed(), "s600").await.unwrap();
    let done = vault::rewrap(&front, |_| ()).await.unwrap();
    assert_eq!(done, Rewrapped { seen: 699, moved: 199, ..Rewrapped::default() });
    assert_eq!(name(&front, &scene, 699).await, Ok(json!({"name": "Ada"})));
}

#[tokio::test]
async fn the_wrapped_bytes_alone_can_be_replaced_and_only_of_ones_own() {
    let scene = Scene::new().await;
    scene.append(&scene.vault(), [about("ada")]).await;
    let other = testkit::project(&scene.core, "theirs").await.unwrap();
    let call = "SELECT vault_rewrap(ARRAY['ada'], ARRAY(SELECT wrapped FROM vault_subject_keys), \
                                    ARRAY[convert_to(repeat('x', $1), 'UTF8')])";
    let length: i32 = sqlx::query_scalar("SELECT octet_length(wrapped) FROM vault_subject_keys")
        .fetch_one(&scene.pool)
        .await
        .unwrap();
    for (scope, length, replaced) in [
        (DbScope::Job(other), length, Some(0)),
        (DbScope::Worker, length, Some(0)),
        (DbScope::Job(scene.project()), length - 1, Some(0)),
        (DbScope::Project(scene.project()), length, None),
        (DbScope::Job(scene.project()), length, Some(1)),
    ] {
        let mut tx = scene.core.db.begin(scope).await.unwrap();
        let found = sqlx::query_scalar::<_, i64>(call).bind(length).fetch_one(&mut *tx).await;
        assert_eq!(found.ok(), replaced, "{scope:?}");
    }
}
