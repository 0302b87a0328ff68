//! The meta-log, its witnesses, and the guard against rollback.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use dev::{AppOptions, TestApp};
use futures::future::{BoxFuture, join_all};
use kernel::{Clock, Code, effect::Effect, ids::LogId};
use serde_json::{Value, json};
use testkit::Witness;
use tlog_tiles::check_tree;
use tokio::net::TcpListener;
use vault::{
    self,
    format::{
        cosignature::{self, WitnessKey},
        receipt::Receipt,
    },
};

use super::{fill, log, seal};

const PATIENCE: Duration = Duration::from_secs(5);

async fn witnessed(witness: &Witness, variables: &[(&'static str, String)]) -> TestApp {
    let variables = [variables, &[("VAULT_WITNESSES", witness.entry())]].concat();
    TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap()
}

/// Makes a seal as soon as the witnesses were asked.
async fn seal_when_asked(app: &TestApp) -> testkit::client::Reply {
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
    assert_eq!(vault.check_rollback(&client, PATIENCE).await.unwrap().len(), 1);

    assert_eq!(vault::publish(&vault).await.unwrap().heads, 1);
    assert_eq!(vault::publish(&vault).await.unwrap().heads, 0, "nothing moved");
    assert_eq!(vault::cosign(&vault, &client, PATIENCE).await.unwrap(), 1);
    assert_eq!(witness.size(&origin), 2, "the keys and a head");
    fill(&app, 3).await;
    assert_eq!(vault::publish(&vault).await.unwrap().heads, 1);
    for _ in 0..2 {
        assert_eq!(vault::cosign(&vault, &client, PATIENCE).await.unwrap(), 1);
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
    let (entry, [verifier]) = (witness.entry(), vault.verifiers(meta).try_into().unwrap());
    let log = format!("log {verifier} {}v1/vault/logs/{meta}", app.url());
    assert_eq!(policy, format!("{log}\nwitness w1 {entry}\ngroup witnesses any w1\nquorum witnesses\n"));
}

#[tokio::test]
async fn the_meta_log_tells_nobody_where_a_log_is() {
    let app = super::app().await;
    let (other, key) = app.another_project("Other").await.unwrap();
    for key in [app.key(), &key] {
        app.post("/v1/vault/seals")
            .key(key)
            .json(&seal(1))
            .send()
            .await
            .unwrap()
            .expect::<Value>(201)
            .unwrap();
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
        // Everybody who knows the log finds it.
        let origin =
            note.lines().next().unwrap().replace(&LogId::META.to_string(), &LogId::from(project).to_string());
        assert!(
            bundle.contains(&kernel::crypto::hex(&kernel::crypto::sha256(origin.as_bytes()))),
            "{origin}: {bundle}"
        );
    }
    for id in said.split("log_").skip(1) {
        assert!(id.starts_with(&"0".repeat(32)), "log_{}", &id[..32]);
    }
}

/// Returns the size of each head in the meta-log, in its order, by the log's name there.
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
        let (log, size) =
            (entry["payload"]["log"].as_str().unwrap(), entry["payload"]["size"].as_u64().unwrap());
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
    // The published size is noted in the same commit.
    let noted: i64 = sqlx::query_scalar("SELECT published_size FROM vault_progress WHERE project_id = $1")
        .bind(app.project())
        .fetch_one(app.core().db.pool())
        .await
        .unwrap();
    assert_eq!(noted, 12);
}

fn dev_client(app: &TestApp) -> Vec<Arc<dyn vault::Witness>> {
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
    vault.check_rollback(&client, PATIENCE).await.unwrap();
    vault::publish(&vault).await.unwrap();
    vault::cosign(&vault, &client, PATIENCE).await.unwrap();

    // The same deployment on a database from before that.
    let restored = witnessed(&witness, &same(&app)).await;
    let refused = seal_when_asked(&restored).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "log_behind"));
    let size: i64 = sqlx::query_scalar("SELECT count(*) FROM vault_entries")
        .fetch_one(restored.core().db.pool())
        .await
        .unwrap();
    assert_eq!(size, 0, "nor is anything appended");
    // The deployment with the newer data continues.
    assert_eq!(seal_when_asked(&app).await.status, 201);

    // A rollback that was found stays found while the witness is away.
    let vault = restored.vault().unwrap();
    let behind = vault.check_rollback(&client, PATIENCE).await.unwrap_err();
    assert_eq!((behind.code(), vault.signs()), (Code::LogBehind, false));
    drop(witness);
    assert_eq!(vault.check_rollback(&client, PATIENCE).await.unwrap_err().code(), Code::LogBehind);
    assert_eq!(vault::publish(&vault).await.unwrap_err().code(), Code::LogBehind);
}

/// Returns the variables that make another API the same deployment.
pub fn same(app: &TestApp) -> Vec<(&'static str, String)> {
    ["PUBLIC_URL", "VAULT_SIGNING_KEY", "VAULT_KEK"]
        .map(|name| (name, app.variable(name).unwrap().to_owned()))
        .to_vec()
}

/// Returns a deployment whose meta-log, of `heads` heads and one entry of keys, the witness has
/// cosigned, and its clients.
pub async fn cosigned(witness: &Witness, heads: usize) -> (TestApp, Vec<Arc<dyn vault::Witness>>) {
    let app = witnessed(witness, &[]).await;
    let (vault, client) = (app.vault().unwrap(), dev_client(&app));
    witness.trust(&vault.origin(LogId::META), &vault.verifiers(LogId::META));
    seal_when_asked(&app).await.expect::<Value>(201).unwrap();
    vault.check_rollback(&client, PATIENCE).await.unwrap();
    for _ in 0..heads {
        fill(&app, 1).await;
        vault::publish(&vault).await.unwrap();
    }
    vault::cosign(&vault, &client, PATIENCE).await.unwrap();
    assert_eq!(witness.size(&vault.origin(LogId::META)), heads as u64 + 1);
    (app, client)
}

#[tokio::test]
async fn another_history_signs_nothing_whether_it_is_as_long_or_longer() {
    let witness = Witness::start("witness.example").await.unwrap();
    let (app, client) = cosigned(&witness, 2).await;
    for heads in [2, 5] {
        // The same deployment on another database, which grew while nobody asked the witness.
        let options = AppOptions { worker: false, variables: same(&app), ..Default::default() };
        let forked = TestApp::start_with(options).await.unwrap();
        let vault = forked.vault().unwrap();
        for _ in 0..heads {
            fill(&forked, 1).await;
            vault::publish(&vault).await.unwrap();
        }
        assert!(vault.signs());
        assert_eq!(
            vault::cosign(&vault, &client, PATIENCE).await.unwrap_err().code(),
            Code::LogBehind,
            "{heads}"
        );
        assert!(!vault.signs());
        let other = forked.vault().unwrap();
        assert_eq!(
            other.check_rollback(&client, PATIENCE).await.unwrap_err().code(),
            Code::LogBehind,
            "{heads}"
        );
        assert!(!other.signs());
    }
    app.vault().unwrap().check_rollback(&client, PATIENCE).await.unwrap();
}

/// Another worker, which publishes and has it cosigned while a check is under way.
#[derive(Debug)]
struct Meanwhile {
    witness: Arc<dyn vault::Witness>,
    other: vault::Vault,
    asked: AtomicUsize,
}

impl vault::Witness for Meanwhile {
    fn key(&self) -> &WitnessKey {
        self.witness.key()
    }

    fn add_checkpoint<'a>(
        &'a self,
        old_size: u64,
        proof: &'a [vault::Hash],
        checkpoint: &'a str,
    ) -> BoxFuture<'a, Effect<vault::WitnessAnswer>> {
        Box::pin(async move {
            if self.asked.fetch_add(1, Ordering::Relaxed) == 0 {
                assert_eq!(vault::publish(&self.other).await.unwrap().heads, 1);
                let witness = [Arc::clone(&self.witness)];
                assert_eq!(vault::cosign(&self.other, &witness, PATIENCE).await.unwrap(), 1);
            }
            self.witness.add_checkpoint(old_size, proof, checkpoint).await
        })
    }
}

#[tokio::test]
async fn what_another_worker_publishes_meanwhile_is_no_rollback() {
    let witness = Witness::start("witness.example").await.unwrap();
    let (app, client) = cosigned(&witness, 1).await;
    let other = app.vault().unwrap();
    other.check_rollback(&client, PATIENCE).await.unwrap();
    fill(&app, 1).await;
    let meanwhile = Meanwhile { witness: Arc::clone(&client[0]), other, asked: AtomicUsize::new(0) };
    let meanwhile: Vec<Arc<dyn vault::Witness>> = vec![Arc::new(meanwhile)];
    let vault = app.vault().unwrap();
    assert_eq!(vault.check_rollback(&meanwhile, PATIENCE).await.unwrap().len(), 1);
    assert!(vault.signs());
    assert_eq!(witness.size(&vault.origin(LogId::META)), 3);
}

/// Returns a witness that takes connections and never answers: its entry for `VAULT_WITNESSES`, and
/// the listener, which must live as long as it.
async fn hung(name: &str) -> (String, TcpListener) {
    let (witness, listener) =
        (Witness::start(name).await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let entry = witness.entry();
    let key = entry.split_once(' ').unwrap().0;
    (format!("{key} http://{}", listener.local_addr().unwrap()), listener)
}

#[tokio::test]
async fn witnesses_that_hang_cost_one_wait_and_starve_nobody() {
    let witness = Witness::start("good.example").await.unwrap();
    let mut entries = vec![witness.entry()];
    let mut listeners = Vec::new();
    for n in 0..3 {
        let (entry, listener) = hung(&format!("hung{n}.example")).await;
        entries.insert(0, entry);
        listeners.push(listener);
    }
    let variables = vec![("VAULT_WITNESSES", entries.join(","))];
    let started = Instant::now();
    let app =
        TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap();
    // At first nothing is signed, and soon everything is.
    let early = app.post("/v1/vault/seals").key(app.key()).json(&seal(1)).send().await.unwrap();
    assert_eq!((early.status, early.code().as_str()), (503, "unavailable"));
    assert_eq!(seal_when_asked(&app).await.status, 201);
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());

    let (vault, clients) = (app.vault().unwrap(), dev_client(&app));
    witness.trust(&vault.origin(LogId::META), &vault.verifiers(LogId::META));
    let short = Duration::from_millis(700);
    let started = Instant::now();
    let reached = vault.check_rollback(&clients, short).await.unwrap();
    assert_eq!(reached.iter().map(|witness| witness.key().name()).collect::<Vec<_>>(), ["good.example"]);
    assert_eq!(vault::publish(&vault).await.unwrap().heads, 1);
    assert_eq!(
        vault::cosign(&vault, &clients, short).await.unwrap(),
        1,
        "those that hang keep no other from it"
    );
    assert!(started.elapsed() < short * 3, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_cosignature_of_another_time_is_not_kept() {
    let clock = Clock::held(Clock::system().now() - TimeDelta::minutes(15));
    let witness = Witness::start_at("late.example", clock.clone()).await.unwrap();
    let app = witnessed(&witness, &[]).await;
    let (vault, client) = (app.vault().unwrap(), dev_client(&app));
    witness.trust(&vault.origin(LogId::META), &vault.verifiers(LogId::META));
    vault.check_rollback(&client, PATIENCE).await.unwrap();
    vault::publish(&vault).await.unwrap();
    let kept = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM vault_cosignatures")
            .fetch_one(app.core().db.pool())
            .await
            .unwrap()
    };
    assert_eq!((vault::cosign(&vault, &client, PATIENCE).await.unwrap(), kept().await), (0, 0));
    clock.advance(Duration::from_secs(10 * 60));
    assert_eq!((vault::cosign(&vault, &client, PATIENCE).await.unwrap(), kept().await), (1, 1));
}

#[tokio::test]
async fn what_witnesses_have_seen_of_a_log_is_proved() {
    let witness = Witness::start("witness.example").await.unwrap();
    let (app, client) = cosigned(&witness, 1).await;
    let vault = app.vault().unwrap();
    vault.check_rollback(&client, PATIENCE).await.unwrap();
    let seen = async |key: &str| app.get("/v1/vault/log/witnessed").key(key).send().await.unwrap();
    for more in [0, 300] {
        fill(&app, more).await;
        let seen: Value = seen(app.key()).await.expect(200).unwrap();
        assert_eq!((&seen["size"], &seen["log"]), (&json!(2), &log(&app).await["log"]));
        let receipt = Receipt::parse(seen["receipt"].as_str().unwrap()).unwrap();
        assert_eq!(receipt.verify(&vault.origin(LogId::META), &vault.verifiers(LogId::META)), Ok(2));
        let note = &receipt.checkpoint;
        client[0].key().find(cosignature::body(note).unwrap(), cosignature::lines(note)).unwrap();
        let entry: Value = serde_json::from_slice(receipt.entry.as_ref().unwrap()).unwrap();
        let payload = json!({ "log": seen["name"], "root": seen["root"], "size": seen["size"] });
        assert_eq!((&entry["payload"], &entry["at"]), (&payload, &seen["at"]));
        let name = kernel::crypto::sha256(log(&app).await["origin"].as_str().unwrap().as_bytes());
        assert_eq!(seen["name"], kernel::crypto::hex(&name));
        let proof = &seen["consistency"];
        assert_eq!((&proof["from_root"], &proof["to"]), (&seen["root"], &json!(2 + more)));
        let hash =
            |text: &Value| vault::Hash(STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap());
        let hashes: Vec<_> = proof["hashes"].as_array().unwrap().iter().map(hash).collect();
        check_tree(&hashes, 2 + more as u64, hash(&log(&app).await["root"]), 2, hash(&seen["root"])).unwrap();
    }
    // A head that is published and not cosigned was not seen; one that is cosigned was.
    vault::publish(&vault).await.unwrap();
    assert_eq!(seen(app.key()).await.expect::<Value>(200).unwrap()["size"], 2);
    vault::cosign(&vault, &client, PATIENCE).await.unwrap();
    assert_eq!(seen(app.key()).await.expect::<Value>(200).unwrap()["size"], 302);

    let (_, other) = app.another_project("Other").await.unwrap();
    let nothing = seen(&other).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (404, "not_found"));
    assert!(nothing.text().contains("No witness has seen this log yet"), "{}", nothing.text());
    let unwatched = super::app().await;
    fill(&unwatched, 1).await;
    let nothing = unwatched.get("/v1/vault/log/witnessed").key(unwatched.key()).send().await.unwrap();
    assert!(nothing.status == 404 && nothing.text().contains("VAULT_WITNESSES"), "{}", nothing.text());
    // A project's own checkpoints and receipts do not pretend to be cosigned either.
    for note in [log(&app).await["checkpoint"].as_str().unwrap(), &super::receipt(&app, 0).await] {
        assert_eq!(cosignature::lines(note).count(), 1, "{note}");
    }
}

#[tokio::test]
async fn the_policy_calls_no_two_lines_the_same() {
    let mut entries = Vec::new();
    for name in ["witnesses", "same.example", "same.example"] {
        entries.push(Witness::start(name).await.unwrap().entry());
    }
    let variables = vec![("VAULT_WITNESSES", entries.join(","))];
    let app =
        TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap();
    let policy = app.get(&format!("/v1/vault/logs/{}/policy", LogId::META)).send().await.unwrap().text();
    let lines: Vec<&str> = policy.lines().skip(1).collect();
    let [first, second, third] = [0, 1, 2].map(|n| format!("witness w{} {}", n + 1, entries[n]));
    assert_eq!(lines, [&first, &second, &third, "group witnesses any w1 w2 w3", "quorum witnesses"]);
}

#[tokio::test]
async fn a_rollback_fails_the_workers_task() {
    let witness = Witness::start("witness.example").await.unwrap();
    let (app, _) = cosigned(&witness, 1).await;
    let variables = [same(&app), vec![("VAULT_WITNESSES", witness.entry())]].concat();
    let restored = TestApp::start_with(AppOptions { variables, ..Default::default() }).await.unwrap();
    let mut told = None;
    for _ in 0..200 {
        told = sqlx::query_scalar::<_, Option<String>>(
            // Its next slot is a minute away; this makes it due now.
            "UPDATE schedules SET slot = '-infinity' WHERE name = 'vault.publish' RETURNING last_error",
        )
        .fetch_optional(restored.core().db.pool())
        .await
        .unwrap()
        .flatten();
        if told.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = told.unwrap();
    assert!(told.contains("older backup"), "{told}");
    assert!(published(&restored).await.is_empty());
}

#[tokio::test]
async fn how_long_a_witness_has_not_cosigned_is_told() {
    let witness = Witness::start("witness.example").await.unwrap();
    let (app, client) = cosigned(&witness, 1).await;
    let vault = app.vault().unwrap();
    assert_eq!(vault::uncosigned_seconds(&vault, client[0].as_ref()).await.unwrap().to_bits(), 0);
    fill(&app, 1).await;
    vault.check_rollback(&client, PATIENCE).await.unwrap();
    vault::publish(&vault).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let seconds = vault::uncosigned_seconds(&vault, client[0].as_ref()).await.unwrap();
    assert!((0.02..60.0).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_witness_that_is_away_keeps_nobody_from_sealing() {
    let witness = Witness::start("witness.example").await.unwrap();
    let gone = witness.entry();
    drop(witness);
    let variables = vec![("VAULT_WITNESSES", gone)];
    let app =
        TestApp::start_with(AppOptions { worker: false, variables, ..Default::default() }).await.unwrap();
    assert_eq!(seal_when_asked(&app).await.status, 201);
}
