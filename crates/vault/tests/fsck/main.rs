//! A check of a log reports every change of it, or a checkpoint that was signed before shows it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod scene;
mod tampering;

use std::sync::atomic::{AtomicBool, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use kernel::crypto::PublicKey;
use serde_json::Value;
use vault::{
    self, Decision, Hash,
    format::{
        cosignature::{self, WitnessKey},
        receipt::Receipt,
    },
    fsck::{self, Check, CheckCounts, KnownHead, NotAKnownHead},
};

use crate::scene::{Scene, seal, set, sorts};

#[tokio::test]
async fn a_log_that_nobody_touched_is_clean() {
    let scene = Scene::full().await;
    let mut seen = Vec::new();
    let log = scene.project().into();
    let progress = |done, size| seen.push((done, size));
    let report = fsck::check(&scene.vault, log, &Check::default(), progress).await.unwrap();
    assert_eq!((report.summary(), report.size, report.count), (None, 1_300, 0), "{:?}", report.findings);
    assert_eq!((seen[0], *seen.last().unwrap()), ((0, 1_300), (1_300, 1_300)));
    assert_eq!(fsck::logs(&scene.vault).await.unwrap().len(), 2);
    for log in fsck::logs(&scene.vault).await.unwrap() {
        let report = fsck::check(&scene.vault, log, &Check::default(), |_, _| {}).await.unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
    }
    let empty = Scene::new().await;
    assert!(empty.check().await.is_clean());
    // More than one batch, and more than one level of tiles would take 65,536 entries.
    for _ in 0..4 {
        scene.append((0..1_000).map(seal)).await;
    }
    let report = scene.check().await;
    assert_eq!((report.size, report.findings), (5_300, Vec::new()));
}

#[tokio::test]
async fn appends_decisions_and_erasures_go_on_under_a_check() {
    let scene = Scene::full().await;
    let stop = AtomicBool::new(false);
    let grow = async {
        let mut rounds = 0;
        while !stop.load(Ordering::Relaxed) || rounds < 5 {
            rounds += 1;
            let size = scene.append((0..20).map(seal)).await;
            scene.decide(size - 13, Decision::Approved).await;
            scene.append([seal(10)].into_iter()).await;
            vault::erase(&scene.vault, &scene.allowed(), "erased").await.unwrap();
        }
    };
    let check = async {
        for _ in 0..8 {
            let report = scene.check().await;
            assert!(report.is_clean(), "{:?}", report.findings);
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(grow, check);
    assert!(scene.check().await.size > 1_400);
}

/// An attacker with all rights over the database rewrites history and everything that follows from
/// it. Nothing in the database shows it; a checkpoint that was signed before does.
#[tokio::test]
async fn a_rebuilt_tail_is_shown_by_what_was_signed_before() {
    let scene = Scene::full().await;
    let (early, late) = (scene.receipt(3).await, scene.receipt(1_250).await);
    let checkpoint = scene.checkpoint().await;
    let consistency = vault::consistency(&scene.vault, &scene.allowed(), 1_300, None).await.unwrap();
    scene.append((1_300..1_310).map(seal)).await;
    assert!(scene.check_against(&checkpoint).await.is_clean());
    assert!(scene.check_against(&late).await.is_clean());
    scene.break_in().await;

    scene.rewrite(1_250, r#""n":1250"#, r#""n":9250"#).await;
    scene.make_consistent().await;
    assert!(scene.check().await.is_clean(), "{:?}", scene.check().await.findings);
    for text in [&checkpoint, &early, &late] {
        let report = scene.check_against(text).await;
        assert_eq!(sorts(&report), set(&["other_than_signed"]));
        assert!(report.summary().unwrap().contains("at size 1300"), "{:?}", report.summary());
        assert!(!text.starts_with("c2sp.org") || scene.verifies(text), "what was signed stays verifiable");
    }
    // Offline as well: the present receipt and proof of consistency belong to another tree.
    let now = Receipt::parse(&scene.receipt(1_250).await).unwrap();
    assert_ne!(now.entry, Receipt::parse(&late).unwrap().entry);
    let consistency_now = vault::consistency(&scene.vault, &scene.allowed(), 1_300, None).await.unwrap();
    assert_ne!(consistency_now.from_root, consistency.from_root);

    scene.undo().await;
    scene.cut_off_at_1203().await;
    let report = scene.check().await;
    assert_eq!((report.size, &report.findings), (1_203, &Vec::new()));
    let report = scene.check_against(&checkpoint).await;
    assert_eq!(sorts(&report), set(&["smaller_than_signed"]));
    assert!(scene.verifies(&late));
}

/// The same, once the meta-log has the log's heads: it shows without a receipt.
#[tokio::test]
async fn a_rebuilt_or_vanished_log_is_shown_by_the_meta_log() {
    let scene = Scene::full().await;
    vault::publish(&scene.vault).await.unwrap();
    scene.append((1_300..1_310).map(seal)).await;
    vault::publish(&scene.vault).await.unwrap();
    scene.append((1_310..1_320).map(seal)).await;
    assert!(scene.check().await.is_clean(), "{:?}", scene.check().await.findings);
    scene.break_in().await;

    scene.rewrite(1_305, r#""n":1305"#, r#""n":9305"#).await;
    scene.make_consistent().await;
    let report = scene.check().await;
    assert_eq!((sorts(&report), report.count), (set(&["other_than_published"]), 1), "{:?}", report.findings);
    assert!(report.summary().unwrap().contains("at size 1310 than entry"), "{:?}", report.summary());

    scene.undo().await;
    scene.cut_off_at_1203().await;
    let report = scene.check().await;
    assert_eq!(sorts(&report), set(&["smaller_than_published"]), "{:?}", report.findings);
    // After another publication, the log has gone back in public.
    vault::publish(&scene.vault).await.unwrap();
    scene.sql("UPDATE vault_progress SET published_size = 0 WHERE project_id = OURS").await;
    vault::publish(&scene.vault).await.unwrap();
    scene.append((1_203..1_220).map(seal)).await;
    let report = scene.check().await;
    assert_eq!(sorts(&report), set(&["smaller_than_published"]), "{:?}", report.findings);
    scene.append((1_220..1_400).map(seal)).await;
    let report = scene.check().await;
    assert_eq!(
        sorts(&report),
        set(&["other_than_published", "published_backwards"]),
        "{:?}",
        report.findings
    );

    for table in scene::TABLES {
        scene.sql(&format!("DELETE FROM {table} WHERE project_id = OURS")).await;
    }
    assert!(fsck::logs(&scene.vault).await.unwrap().contains(&scene.project().into()), "it is missed");
    let report = scene.check().await;
    assert_eq!(sorts(&report), set(&["smaller_than_published"]), "{:?}", report.findings);
}

#[tokio::test]
async fn erased_data_that_came_back_is_found() {
    let scene = Scene::full().await;
    scene.break_in().await;
    scene.sql("CREATE TABLE before_p AS TABLE vault_payloads").await;
    scene.sql("CREATE TABLE before_k AS TABLE vault_subject_keys").await;
    vault::erase(&scene.vault, &scene.allowed(), "kept").await.unwrap();
    assert!(scene.check().await.is_clean());
    scene
        .sql(
            "INSERT INTO vault_payloads SELECT * FROM before_p WHERE subject = 'kept' AND project_id = OURS; \
             INSERT INTO vault_subject_keys \
             SELECT * FROM before_k WHERE subject = 'kept' AND project_id = OURS",
        )
        .await;
    let report = scene.check().await;
    assert_eq!(sorts(&report), set(&["personal_back"]), "{:?}", report.findings);
    let summary = report.summary().unwrap();
    assert!(summary.contains("is there again, though entry 1300 says"), "{summary}");
}

#[tokio::test]
async fn a_check_is_remembered_and_a_log_that_shrank_is_found() {
    let scene = Scene::full().await;
    let core = &scene.vault.core;
    assert_eq!(fsck::check_counts(core).await.unwrap(), CheckCounts { damaged: 0, unchecked: 0 });
    fsck::save(core, &scene.check().await).await.unwrap();
    let log = vault::log(&scene.vault, &scene.allowed()).await.unwrap();
    assert!(log.checked_at.is_some() && log.checked_finding.is_none());

    scene.break_in().await;
    scene.cut_off_at_1203().await;
    for _ in 0..2 {
        // A check does not repair it.
        let report = scene.check().await;
        assert_eq!(sorts(&report), set(&["shrunk"]));
        fsck::save(core, &report).await.unwrap();
    }
    let log = vault::log(&scene.vault, &scene.allowed()).await.unwrap();
    let smaller = "the log is smaller than when it was last checked: it had 1300";
    assert!(log.checked_finding.unwrap().starts_with(smaller));
    assert_eq!(fsck::check_counts(core).await.unwrap(), CheckCounts { damaged: 1, unchecked: 0 });
    scene.sql("UPDATE vault_progress SET checked_at = now() - interval '3 days'").await;
    scene.sql("UPDATE vault_checkpoints SET at = at - interval '3 days' WHERE project_id <> OURS").await;
    assert_eq!(fsck::check_counts(core).await.unwrap(), CheckCounts { damaged: 1, unchecked: 2 });
}

#[tokio::test]
async fn every_log_is_checked_at_night() {
    let scene = Scene::full().await;
    fsck::check_all(&scene.vault).await.unwrap();
    let jobs: Vec<Value> = sqlx::query_scalar("SELECT payload FROM jobs WHERE kind = 'vault.check_log'")
        .fetch_all(&scene.pool)
        .await
        .unwrap();
    assert_eq!(jobs.len(), 2);
}

#[tokio::test]
async fn cosignatures_are_verified_where_the_witness_is_known() {
    let scene = Scene::full().await;
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap();
    let witness = WitnessKey::new("w.example/1", public).unwrap();
    let note = scene.checkpoint().await;
    let body = cosignature::body(&note).unwrap();
    let cosign = |body: &str| {
        let message = format!("cosignature/v1\ntime 1700000000\n{body}");
        let signature = key.sign(message.as_bytes()).to_bytes();
        let bytes = [&witness.id().to_be_bytes()[..], &1_700_000_000_u64.to_be_bytes(), &signature].concat();
        format!("— {} {}", witness.name(), STANDARD.encode(bytes))
    };
    let put = async |line: &str| {
        sqlx::query("INSERT INTO vault_cosignatures VALUES ($1, 1300, 'w.example/1', $2, now())")
            .bind(scene.project())
            .bind(line)
            .execute(&scene.pool)
            .await
            .unwrap();
    };
    put(&cosign(body)).await;
    let known = Check { witnesses: vec![witness.clone()], ..Check::default() };
    let report = scene.check_with(&known).await;
    assert!(report.is_clean() && report.notes.is_empty(), "{report:?}");
    let report = scene.check().await;
    assert!(report.is_clean() && report.notes.len() == 1, "{report:?}");
    scene.break_in().await;
    scene.sql("DELETE FROM vault_cosignatures").await;
    put(&cosign(&body.replace("\n1300\n", "\n1301\n"))).await;
    let report = scene.check_with(&known).await;
    assert_eq!(sorts(&report), set(&["cosignature"]));
}

#[tokio::test]
async fn what_cannot_be_compared_with_is_refused_by_reason() {
    let scene = Scene::new().await;
    scene.append((0..5).map(seal)).await;
    let (note, receipt) = (scene.checkpoint().await, scene.receipt(2).await);
    let read = |text: &str| KnownHead::read(&scene.vault, text);
    assert_eq!(read(&note).unwrap().size, 5);
    assert_eq!(read(&receipt).unwrap(), read(&note).unwrap());
    let root: Hash = read(&note).unwrap().root;
    assert_ne!(root, Hash([0; 32]));
    for text in ["", "hello", "\n\n", &note[..note.len() / 3]] {
        assert_eq!(read(text), Err(NotAKnownHead::Form), "{text}");
    }
    assert!(matches!(read(&note.replace("api.example", "api.other")), Err(NotAKnownHead::Foreign(_))));
    assert!(matches!(read(&note.replace("\n5\n", "\n6\n")), Err(NotAKnownHead::Flaw(_))));
    assert!(matches!(read(&receipt.replace("index 2", "index 3")), Err(NotAKnownHead::Flaw(_))));
}
