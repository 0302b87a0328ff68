//! The meta-log, its witnesses, and the guard against rollback.

use std::{collections::BTreeMap, time::Duration};

use dev::{AppOptions, TestApp, Witness};
use domain::{
    ids::LogId,
    vault::{self, cosignature},
};
use futures::future::join_all;
use serde_json::Value;

use super::{fill, log, seal};

async fn witnessed(witness: &Witness, variables: &[(&'static str, String)]) -> TestApp {
    let variables = [variables, &[("VAULT_WITNESSES", witness.entry())]].concat();
    TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap()
}

/// Seals as soon as the witnesses were asked.
async fn seal_when_asked(app: &TestApp) -> dev::client::Reply {
    for _ in 0..100 {
        let reply = app.post("/v1/vault/seals").key(app.key()).json(&seal(1)).send().await.unwrap();
        if reply.code() != "unavailable" {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody asked the witnesses within 5 s");
}

#[tokio::test]
async fn heads_and_keys_are_published_and_cosigned() {
    let witness = Witness::start("witness.example").await.unwrap();
    let app = witnessed(&witness, &[]).await;
    seal_when_asked(&app).await.expect::<Value>(201).unwrap();
    let vault = app.vault().unwrap();
    let origin = vault.origin(LogId::META);
    witness.trust(&origin, &vault.verifiers(LogId::META));
    let client = dev_client(&app);
    assert!(vault.check_rollback(&client).await.unwrap());

    assert_eq!(vault::publish(&vault).await.unwrap().heads, 1);
    assert_eq!(vault::publish(&vault).await.unwrap().heads, 0, "nothing moved");
    assert!(vault::cosign(&vault, &client[0]).await.unwrap());
    assert_eq!(witness.size(&origin), 2, "the keys and a head");
    fill(&app, 3).await;
    assert_eq!(vault::publish(&vault).await.unwrap().heads, 1);
    for _ in 0..2 {
        assert!(vault::cosign(&vault, &client[0]).await.unwrap());
    }
    assert_eq!(witness.size(&origin), 3);

    let meta = LogId::META;
    let note = app.get(&format!("/v1/vault/logs/{meta}/checkpoint")).send().await.unwrap().text();
    let key = client[0].key();
    key.find(cosignature::body(&note).unwrap(), cosignature::lines(&note)).unwrap();
    let bundle = app.get(&format!("/v1/vault/logs/{meta}/tile/entries/000.p/3")).send().await.unwrap().text();
    let head = log(&app).await;
    let name = vault.blinded(app.project().into());
    for part in ["log.keys", "log.head", &name, head["root"].as_str().unwrap(), "\"size\":4"] {
        assert!(bundle.contains(part), "{part}: {bundle}");
    }
    let policy = app.get(&format!("/v1/vault/logs/{meta}/policy")).send().await.unwrap().text();
    assert!(policy.contains("witness witness.example ") && policy.ends_with("quorum witnesses\n"), "{policy}");
}

#[tokio::test]
async fn the_meta_log_tells_nobody_where_a_log_is() {
    let app = super::app().await;
    let (other, key) = app.another_project("Other").await.unwrap();
    for key in [app.key(), &key] {
        app.post("/v1/vault/seals").key(key).json(&seal(1)).send().await.unwrap().expect::<Value>(201).unwrap();
    }
    let vault = app.vault().unwrap();
    vault::publish(&vault).await.unwrap();
    let meta = format!("/v1/vault/logs/{}", LogId::META);
    let note = app.get(&format!("{meta}/checkpoint")).send().await.unwrap().text();
    let bundle = app.get(&format!("{meta}/tile/entries/000.p/3")).send().await.unwrap().text();
    let columns: Vec<Option<String>> =
        sqlx::query_scalar("SELECT subject FROM vault_entries WHERE project_id = $1 ORDER BY index")
            .bind(LogId::META.project())
            .fetch_all(app.core().db.pool())
            .await
            .unwrap();
    let said = format!("{note}{bundle}{columns:?}");
    for project in [app.project(), other] {
        let digits = project.uuid().simple().to_string();
        assert!(!said.contains(&digits) && !said.contains(&project.uuid().to_string()), "{said}");
        // Who knows the log finds it.
        let origin = note.lines().next().unwrap().replace(&LogId::META.to_string(), &LogId::from(project).to_string());
        assert!(
            bundle.contains(&domain::crypto::hex(&domain::crypto::sha256(origin.as_bytes()))),
            "{origin}: {bundle}"
        );
    }
    for id in said.split("log_").skip(1) {
        assert!(id.starts_with(&"0".repeat(32)), "log_{}", &id[..32]);
    }
}

/// Size of each head in the meta-log, in its order, by the log's name there.
async fn published(app: &TestApp) -> BTreeMap<String, Vec<u64>> {
    let entries: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT entry FROM vault_entries WHERE project_id = $1 AND kind = 'log.head' ORDER BY index",
    )
    .bind(LogId::META.project())
    .fetch_all(app.core().db.pool())
    .await
    .unwrap();
    let mut heads = BTreeMap::<String, Vec<u64>>::new();
    for entry in entries {
        let entry: Value = serde_json::from_slice(&entry).unwrap();
        let (log, size) = (entry["payload"]["log"].as_str().unwrap(), entry["payload"]["size"].as_u64().unwrap());
        heads.entry(log.to_owned()).or_default().push(size);
    }
    heads
}

#[tokio::test]
async fn of_those_who_publish_at_once_each_head_is_there_once_and_none_goes_back() {
    let app = super::app().await;
    let vault = app.vault().unwrap();
    for round in 1..=6 {
        fill(&app, 1).await;
        let publishing = join_all((0..4).map(|_| vault::publish(&vault)));
        let growing = fill(&app, 1);
        let (published, ()) = tokio::join!(publishing, growing);
        let heads: usize = published.into_iter().map(|published| published.unwrap().heads).sum();
        assert!((1..=2).contains(&heads), "round {round}: {heads}");
    }
    vault::publish(&vault).await.unwrap();
    let heads = published(&app).await.remove(&vault.blinded(app.project().into())).unwrap();
    assert!(heads.is_sorted_by(|one, next| one < next) && heads.last() == Some(&12), "{heads:?}");
    // What was published is noted in the same commit.
    let noted: i64 = sqlx::query_scalar("SELECT published_size FROM vault_progress WHERE project_id = $1")
        .bind(app.project())
        .fetch_one(app.core().db.pool())
        .await
        .unwrap();
    assert_eq!(noted, 12);
}

fn dev_client(app: &TestApp) -> Vec<std::sync::Arc<dyn domain::ports::Witness>> {
    let witnesses: adapters::witness::Witnesses = app.variable("VAULT_WITNESSES").unwrap().parse().unwrap();
    witnesses.clients().unwrap()
}

#[tokio::test]
async fn a_restored_older_backup_signs_nothing() {
    let witness = Witness::start("witness.example").await.unwrap();
    let app = witnessed(&witness, &[]).await;
    let (vault, client) = (app.vault().unwrap(), dev_client(&app));
    witness.trust(&vault.origin(LogId::META), &vault.verifiers(LogId::META));
    seal_when_asked(&app).await.expect::<Value>(201).unwrap();
    vault.check_rollback(&client).await.unwrap();
    vault::publish(&vault).await.unwrap();
    vault::cosign(&vault, &client[0]).await.unwrap();

    // The same deployment on a database from before that.
    let same =
        ["PUBLIC_URL", "VAULT_SIGNING_KEY", "VAULT_KEK"].map(|name| (name, app.variable(name).unwrap().to_owned()));
    let restored = witnessed(&witness, &same).await;
    let refused = seal_when_asked(&restored).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "log_behind"));
    let size: i64 =
        sqlx::query_scalar("SELECT count(*) FROM vault_entries").fetch_one(restored.core().db.pool()).await.unwrap();
    assert_eq!(size, 0, "nor is anything appended");
    assert!(!restored.vault().unwrap().check_rollback(&client).await.unwrap());
    // The one with the newer data goes on.
    assert_eq!(seal_when_asked(&app).await.status, 201);
}

#[tokio::test]
async fn a_witness_that_is_away_keeps_nobody_from_sealing() {
    let witness = Witness::start("witness.example").await.unwrap();
    let gone = witness.entry();
    drop(witness);
    let variables = vec![("VAULT_WITNESSES", gone)];
    let app = TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap();
    assert_eq!(seal_when_asked(&app).await.status, 201);
}
