//! Requests that are sent again, and the requests that caused a job.

use kernel::{
    Code,
    answer::Answer,
    caller::{Authorized, Caller, IdempotencyKey, Principal, RequestContext, allow},
};
use serde::Serialize;
use serde_json::{Value, json};
use vault::{
    self, Appender, Decision, NewSeal, Reason, Verdict,
    outbox::{self, OutboxSeal},
};

use crate::scene::{Scene, request, shown};

fn keyed(key: &str) -> RequestContext {
    let key = IdempotencyKey::new(key, &[b"the request"]);
    RequestContext { idempotency_key: Some(key), ..RequestContext::default() }
}

fn traced(trace: u32) -> RequestContext {
    RequestContext { traceparent: Some(traceparent(trace)), ..RequestContext::default() }
}

fn traceparent(trace: u32) -> String {
    format!("00-{trace:032x}-00f067aa0ba902b7-01")
}

fn about(subject: &str) -> Value {
    json!({"kind": "k", "verdict": "HOLD", "payload": 1, "subject": subject, "personal": {"name": "Ada"}})
}

fn one(seal: &Value) -> NewSeal {
    serde_json::from_str(&seal.to_string()).unwrap()
}

/// Requires that `again` is `first` to the byte, and is marked as given before.
fn same<T: Serialize>(first: &Answer<T>, again: &Answer<T>) {
    assert_eq!((again.head(), again.body()), (first.head(), first.body()));
    assert!(again.is_replayed() && !first.is_replayed());
}

#[tokio::test]
async fn a_replay_after_a_restart_gives_the_same_bytes() {
    let scene = Scene::new().await;
    let vault = scene.vault();
    let appender = Appender::new(vault.clone());
    let batch = request((0..300).map(|n| about(&format!("s{n}"))));
    let seal = one(&about("alone"));
    let reason = Reason { reason: "seen".to_owned() };
    let person = scene.decides(scene.core.ids.next());
    let decides: Authorized<allow::VaultDecide> =
        Authorized::check(Principal { request: keyed("decide"), ..(*person).clone() }).unwrap();
    let erases: Authorized<allow::VaultErase> =
        Authorized::check(Principal { request: keyed("erase"), ..scene.by.clone() }).unwrap();

    let first = appender.append(&scene.appends(keyed("batch")), &batch).await.unwrap();
    let first_one = appender.append_one(&scene.appends(keyed("one")), &seal).await.unwrap();
    let decided = vault::decide(&vault, &decides, 3, Decision::Approved, &reason).await.unwrap();
    let erased = vault::erase(&vault, &erases, "s7").await.unwrap();
    assert_eq!((first.head().status, &first.head().location), (201, &None));
    assert_eq!(first_one.head().location.as_deref(), Some("/v1/vault/seals/300"));
    assert_eq!(decided.head().location.as_deref(), Some("/v1/vault/seals/301"));
    assert_eq!(erased.head().location.as_deref(), Some("/v1/vault/seals/302"));
    drop((appender, vault));

    // Another process, which knows only what is stored; and the log has grown.
    let vault = scene.vault();
    let appender = Appender::new(vault.clone());
    scene.append(&vault, (0..300).map(|n| about(&format!("t{n}")))).await;
    same(&first, &appender.append(&scene.appends(keyed("batch")), &batch).await.unwrap());
    same(&first_one, &appender.append_one(&scene.appends(keyed("one")), &seal).await.unwrap());
    same(&decided, &vault::decide(&vault, &decides, 3, Decision::Approved, &reason).await.unwrap());
    same(&erased, &vault::erase(&vault, &erases, "s7").await.unwrap());
    assert_eq!(vault::log(&vault, &scene.allowed()).await.unwrap().size, 603);
}

#[tokio::test]
async fn of_requests_with_one_key_in_one_batch_the_first_is_appended() {
    let scene = Scene::new().await;
    let vault = scene.vault();
    scene.append(&vault, [about("first")]).await;
    let requests = ["a", "b", "a"].map(|key| (keyed(key), request([about(key)])));
    let ended = scene.together(&vault, requests.to_vec()).await;
    let codes: Vec<_> = ended.iter().map(|one| one.as_ref().err().map(kernel::Error::code)).collect();
    assert_eq!(codes, [None, None, Some(Code::IdempotencyInFlight)]);
    let again = scene.together(&vault, requests.to_vec()).await.swap_remove(1).unwrap();
    same(ended[1].as_ref().unwrap(), &again);
    assert_eq!(vault::log(&vault, &scene.allowed()).await.unwrap().size, 3);
}

#[tokio::test]
async fn each_proposals_job_is_in_the_trace_of_its_own_request() {
    let scene = Scene::new().await;
    let vault = scene.vault();
    scene.append(&vault, [about("a"), about("b")]).await;
    let requests = [traced(1), traced(2), RequestContext::default(), traced(4)];
    let requests = requests.map(|context| (context, request([about("a"), about("b")])));
    let ended = scene.together(&vault, requests.into()).await;
    let sizes: Vec<u64> = ended.iter().map(|one| shown(one.as_ref().unwrap()).size).collect();
    assert_eq!(sizes, [10; 4], "they are not in one batch: this shows nothing");

    let sql = "SELECT (payload->>'proposal')::bigint, traceparent FROM jobs \
               WHERE kind = 'vault.expire_proposal' ORDER BY 1";
    let jobs: Vec<(i64, Option<String>)> = sqlx::query_as(sql).fetch_all(&scene.pool).await.unwrap();
    let trace = |index: i64| match index / 2 {
        1 => Some(traceparent(1)),
        2 => Some(traceparent(2)),
        4 => Some(traceparent(4)),
        _ => None,
    };
    assert_eq!(jobs, (0..10).map(|index| (index, trace(index))).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_seal_in_the_outbox_is_appended_in_the_trace_of_what_left_it() {
    let scene = Scene::new().await;
    let by = scene.appends(traced(7));
    let payload = json!({"n": 1});
    let seal = OutboxSeal { kind: "k", verdict: Verdict::Seal, subject: None, payload: &payload };
    let put = scene.core.write(Caller::from(&by), async |unit| outbox::put(unit, by.project, seal).await);
    put.await.unwrap();
    let sql = "SELECT kind, traceparent FROM jobs";
    let jobs: Vec<(String, Option<String>)> = sqlx::query_as(sql).fetch_all(&scene.pool).await.unwrap();
    assert_eq!(jobs, [("vault.drain_outbox".to_owned(), Some(traceparent(7)))]);
}
