//! A log whose head is locked delays no other project.

use std::time::Duration;

use futures::future::join_all;
use kernel::{
    Code,
    caller::{Authorized, Principal},
    ids::UserId,
};
use serde_json::json;
use vault::{self, Appender, Decision, Reason};

use crate::scene::{Scene, request};

#[tokio::test]
async fn a_held_head_takes_no_connections_from_other_projects() {
    let scene = Scene::new().await;
    let vault = scene.replica(&scene.kek, 4);
    scene.append(&vault, (0..40).map(|n| json!({"kind": "k", "verdict": "HOLD", "payload": n}))).await;
    let other = testkit::project(&scene.core, "theirs").await.unwrap();
    let person: UserId = scene.core.ids.next();
    let decide = |index: u64| {
        let (vault, by) = (vault.clone(), scene.decides(person));
        let reason = Reason { reason: "seen".to_owned() };
        tokio::spawn(async move { vault::decide(&vault, &by, index, Decision::Approved, &reason).await })
    };

    let held = scene.lock().await;
    let decisions: Vec<_> = (0..40).map(decide).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let appender = Appender::new(vault.clone());
    for n in 0..5 {
        let seal = request([json!({"kind": "k", "verdict": "SEAL", "payload": n})]);
        let by = Authorized::check(Principal::system(other)).unwrap();
        let made = tokio::time::timeout(Duration::from_secs(1), appender.append(&by, &seal)).await;
        made.expect("another project waits").expect("another project is refused");
    }
    drop(held);
    let (mut decided, mut refused) = (0, 0);
    for ended in join_all(decisions).await {
        match ended.unwrap() {
            Ok(_) => decided += 1,
            Err(error) => {
                let busy = (Code::Overloaded, Some(Duration::from_secs(1)));
                assert_eq!((error.code(), error.wait()), busy, "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(decided >= 30 && refused <= 10, "{decided} and {refused}");
    assert_eq!(vault::log(&vault, &scene.allowed()).await.unwrap().size, 40 + decided);
}
