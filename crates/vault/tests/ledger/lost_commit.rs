//! Commits whose answer gets lost: a batch is signed only when it is known to be committed, and a
//! committed one is answered.

use kernel::{
    Code, Core, Db, DbScope,
    caller::{Authorized, Caller, IdempotencyKey, Principal, RequestContext, allow},
};
use serde_json::json;
use testkit::{
    PgFault,
    pg_fault::{Cut, Fault},
    services,
};
use vault::{
    self, Appender, Decision, Reason, Vault, Verdict,
    jobs::ExpireProposal,
    outbox::{self, OutboxSeal},
};

use crate::scene::{Scene, request, shown};

/// Cuts the connection at every COMMIT of a transaction that inserts entries.
fn at_commit(cut: Cut) -> [Fault; 1] {
    [Fault { statement: "COMMIT", within: Some("INSERT INTO vault_entries"), cut, every: 1 }]
}

/// Returns the vault of a replica that reaches Postgres through `way`.
fn through(scene: &Scene, way: &PgFault) -> Vault {
    let db = Db::lazy(way.url(scene.url()).unwrap().parse().unwrap(), 4);
    scene.vault_on(Core { db, ..scene.core.clone() })
}

async fn way() -> PgFault {
    PgFault::before(services::shared().await.unwrap().postgres.port()).await.unwrap()
}

#[tokio::test]
async fn an_append_whose_commit_succeeded_is_answered_and_one_whose_commit_failed_is_not() {
    let (scene, way) = (Scene::new().await, way().await);
    let appender = Appender::new(through(&scene, &way));
    let seals = request([json!({"kind": "k", "verdict": "SEAL", "payload": 1})]);
    for (n, cut) in (1..).zip([Cut::After, Cut::During]) {
        way.arm(&at_commit(cut));
        let answer = appender.append(&scene.allowed(), &seals).await.unwrap();
        assert_eq!((shown(&answer).size, way.struck()[0].1), (n, 1), "{cut:?}");
    }
    way.arm(&at_commit(Cut::Before));
    let refused = appender.append(&scene.allowed(), &seals).await.unwrap_err();
    assert_eq!((refused.code(), way.struck()[0].1), (Code::Unavailable, 1));
    way.disarm();
    assert_eq!(vault::log(&scene.vault(), &scene.allowed()).await.unwrap().size, 2);
}

#[tokio::test]
async fn decisions_expiries_erasures_and_the_outbox_are_sealed_once() {
    let (scene, way) = (Scene::new().await, way().await);
    let vault = through(&scene, &way);
    let hold = |n: u32| {
        let (subject, seconds) = (format!("s{n}"), if n == 1 { 60 } else { 3_600 });
        json!({
            "kind": "k", "verdict": "HOLD", "payload": n, "subject": subject, "personal": n,
            "expires_in_seconds": seconds,
        })
    };
    scene.append(&vault, (0..2).map(hold)).await;
    let sql = "UPDATE vault_proposals SET expires_at = now() - interval '1 s' WHERE index = 1";
    sqlx::query(sql).execute(&scene.pool).await.unwrap();
    let decides = scene.decides(scene.core.ids.next());
    let key = IdempotencyKey::new("erase", &[]);
    let context = RequestContext { idempotency_key: Some(key), ..RequestContext::default() };
    let erases: Authorized<allow::VaultErase> =
        Authorized::check(Principal { request: context, ..scene.by.clone() }).unwrap();
    let (project, payload) = (scene.project(), json!({"n": 1}));
    let seal = OutboxSeal { kind: "k", verdict: Verdict::Seal, subject: None, payload: &payload };
    let by = Caller::system(DbScope::Project(project));
    scene.core.write(by, async |unit| outbox::put(unit, project, seal).await).await.unwrap();
    let reason = Reason { reason: "seen".to_owned() };
    let job = ExpireProposal { project, proposal: 1 };

    way.arm(&at_commit(Cut::Before));
    let lost = Code::Unavailable;
    let decided = vault::decide(&vault, &decides, 0, Decision::Approved, &reason).await;
    assert_eq!(decided.unwrap_err().code(), lost);
    assert_eq!(vault::expire(&vault, &job).await.unwrap_err().code(), lost);
    assert_eq!(vault::erase(&vault, &erases, "s0").await.unwrap_err().code(), lost);
    assert_eq!(outbox::drain(&vault, project).await.unwrap_err().code(), lost);
    assert_eq!(vault::log(&scene.vault(), &scene.allowed()).await.unwrap().size, 2);

    way.arm(&at_commit(Cut::After));
    let decided = vault::decide(&vault, &decides, 0, Decision::Approved, &reason).await.unwrap();
    assert_eq!(decided.head().location.as_deref(), Some("/v1/vault/seals/2"));
    let again = vault::decide(&vault, &decides, 0, Decision::Approved, &reason).await.unwrap_err();
    assert_eq!(again.code(), Code::ProposalDecided);
    let erased = vault::erase(&vault, &erases, "s0").await.unwrap();
    let again = vault::erase(&vault, &erases, "s0").await.unwrap();
    assert!(again.is_replayed() && again.body() == erased.body());
    for _ in 0..2 {
        vault::expire(&vault, &job).await.unwrap();
        outbox::drain(&vault, project).await.unwrap();
    }
    assert_eq!(way.struck()[0].1, 4);
    way.disarm();
    assert_eq!(vault::log(&scene.vault(), &scene.allowed()).await.unwrap().size, 6);
}
