//! `api vault fsck`, and the worker's check.

use std::{path::PathBuf, process::Stdio, time::Duration};

use dev::{AppOptions, TestApp};
use kernel::{DbScope, caller::Caller, ids::LogId};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::process::Command;
use vault::jobs::CheckLog;

use super::{app, fill, log, receipt, verifies};

/// The end of the program: its code, and its standard output and error.
pub type Ended = (i32, String, String);

async fn api(app: &TestApp, arguments: &[&str]) -> Ended {
    // It gets none of the secrets that others need.
    let names = ["DATABASE_URL", "VAULT_SIGNING_KEY", "VAULT_KEK", "PUBLIC_URL"];
    run(arguments, names.map(|name| (name, app.variable(name).unwrap()))).await
}

pub async fn run<'a>(arguments: &[&str], variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(arguments).env_clear().envs(variables).kill_on_drop(true).stdin(Stdio::null());
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A file that is removed when this is dropped.
struct Kept(PathBuf);

impl Kept {
    fn new(app: &TestApp, name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{}-{name}", app.project()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Changes a table past its triggers, as its owner can.
pub async fn tamper(app: &TestApp, table: &str, sql: &str) {
    let sql = format!(
        "ALTER TABLE {table} DISABLE TRIGGER append_only; {sql}; ALTER TABLE {table} ENABLE ALWAYS TRIGGER \
        append_only"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(app.core().db.pool()).await.unwrap();
}

#[tokio::test]
async fn the_program_tells_what_is_wrong_and_where_and_what_to_do() {
    let app = app().await;
    fill(&app, 700).await;
    let id = LogId::from(app.project()).to_string();
    let (code, told, progress) = api(&app, &["vault", "fsck"]).await;
    assert_eq!(
        (code, told.as_str()),
        (0, format!("{id}: 700 entries, nothing is wrong\n1 log checked, nothing is wrong\n").as_str())
    );
    assert_eq!(progress, "", "so few are checked at once");
    let (code, told, _) = api(&app, &["vault", "fsck", "--log", &id, "--json"]).await;
    let report: Value = serde_json::from_str(&told).unwrap();
    let sound = json!({"log": id, "size": 700, "count": 0, "findings": [], "notes": []});
    assert_eq!((code, report), (0, json!({"clean": true, "logs": [sound]})));

    tamper(&app, "vault_tiles", "DELETE FROM vault_tiles WHERE n = 1").await;
    let (code, told, _) = api(&app, &["vault", "fsck", "--log", "all"]).await;
    assert_eq!(code, 1);
    assert!(told.starts_with(&format!("{id}: 700 entries, 1 finding\n  - tile 0/1 is missing\n")), "{told}");
    assert!(
        told.contains("something is wrong with 1. What to do:\n  What follows from the entries is wrong."),
        "{told}"
    );
    let (code, told, _) = api(&app, &["vault", "fsck", "--json"]).await;
    let report: Value = serde_json::from_str(&told).unwrap();
    let finding = json!({
        "finding": "tile_missing", "level": 0, "n": 1, "about": "lists", "detail": "tile 0/1 is missing"
    });
    assert_eq!((code, &report["logs"][0]["findings"][0]), (1, &finding));
}

/// An entry that was changed is not shown, long before a check finds it.
#[tokio::test]
async fn what_is_not_as_it_was_sealed_is_not_shown() {
    let app = app().await;
    fill(&app, 300).await;
    let changed = "UPDATE vault_entries SET entry = convert_to( \
                       replace(convert_from(entry, 'UTF8'), '\"n\":7}', '\"n\":8}'), 'UTF8' \
                   ) WHERE index = 7";
    tamper(&app, "vault_entries", changed).await;
    let refused = async |path: &str| {
        let reply = app.get(path).key(app.key()).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (500, "log_damaged"), "{path}");
    };
    refused("/v1/vault/seals/7").await;
    refused("/v1/vault/seals/7/receipt").await;
    assert_eq!(verifies(&app, &receipt(&app, 8).await).await, Ok(300));
    // Changing the hash beside it as well does not change the tree.
    tamper(
        &app,
        "vault_entries",
        "UPDATE vault_entries SET leaf_hash = sha256('\\x00'::bytea || entry) WHERE index = 7",
    )
    .await;
    refused("/v1/vault/seals/7/receipt").await;
}

#[tokio::test]
async fn the_program_compares_with_what_was_kept() {
    let app = app().await;
    fill(&app, 10).await;
    let kept = Kept::new(&app, "receipt", &receipt(&app, 4).await);
    fill(&app, 10).await;
    let checkpoint = Kept::new(&app, "checkpoint", log(&app).await["checkpoint"].as_str().unwrap());
    let against = async |file: &str| api(&app, &["vault", "fsck", "--against", file]).await;
    for file in [&kept, &checkpoint] {
        let (code, told, complained) = against(file.path()).await;
        assert_eq!(code, 0, "{told}{complained}");
        assert!(told.contains("\n  it begins with the signed tree of size "), "{told}");
    }
    // A backup from before the checkpoint, as the database would be after it was restored.
    for sql in ["vault_entries WHERE index >= 10", "vault_checkpoints WHERE size > 10"] {
        tamper(&app, sql.split(' ').next().unwrap(), &format!("DELETE FROM {sql}")).await;
    }
    let head = "UPDATE vault_logs SET size = 10, verdicts = '{\"SEAL\": 10}', \
                    at = (SELECT max(at) FROM vault_entries), \
                    edge = (SELECT substr(edge, 1, 0) FROM vault_logs LIMIT 1) \
                        || decode(repeat('00', 64), 'hex')";
    sqlx::query(head).execute(app.core().db.pool()).await.unwrap();
    let (code, told, _) = against(checkpoint.path()).await;
    assert_eq!(code, 1);
    assert!(
        told.contains("the log is smaller than a checkpoint that was signed: it has 10 entries, and had 20"),
        "{told}"
    );
    let (_, told, _) = against(kept.path()).await;
    assert!(!told.contains("signed"), "the receipt is older than that: {told}");
}

#[tokio::test]
async fn what_cannot_be_done_is_another_end_than_what_is_found() {
    let app = app().await;
    fill(&app, 3).await;
    let checkpoint = log(&app).await["checkpoint"].as_str().unwrap().to_owned();
    let good = Kept::new(&app, "good", &checkpoint);
    let changed = Kept::new(&app, "changed", &checkpoint.replace("\n3\n", "\n4\n"));
    let foreign = Kept::new(&app, "foreign", &checkpoint.replace("127.0.0.1", "127.0.0.9"));
    let nothing = Kept::new(&app, "nothing", "hello");
    let other = LogId::from(app.another_project("Other").await.unwrap().0).to_string();
    for (arguments, why) in [
        (vec!["--against", "/nowhere"], "cannot be read"),
        (vec!["--against", nothing.path()], "neither a receipt nor a signed checkpoint"),
        (vec!["--against", changed.path()], "does not verify"),
        (vec!["--against", foreign.path()], "not one of ours: was PUBLIC_URL"),
        (vec!["--against", good.path(), "--log", &other], "--against is of"),
        (vec!["--log", &other], "there is no"),
        (vec!["--log", "everything"], "it wants log_… or all"),
    ] {
        let (code, _, complained) = api(&app, &[vec!["vault", "fsck"], arguments].concat()).await;
        assert_eq!(code, 2, "{complained}");
        assert!(complained.contains(why), "{complained}");
    }
    let (code, _, complained) = run(&["vault", "fsck"], []).await;
    assert_eq!((code, complained.starts_with("api: DATABASE_URL is not set")), (2, true), "{complained}");
}

#[tokio::test]
async fn the_worker_checks_and_the_log_shows_what_it_found() {
    let app = TestApp::start_with(AppOptions { worker: true, ..Default::default() }).await.unwrap();
    fill(&app, 300).await;
    let check = async || {
        let before = log(&app).await["checked_at"].clone();
        let (job, worker) = (CheckLog { project: app.project() }, Caller::system(DbScope::Worker));
        app.core().write(worker, async |unit| unit.enqueue(&job)).await.unwrap();
        for _ in 0..600 {
            let now = log(&app).await;
            if now["checked_at"] != before {
                return now["checked_finding"].clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the log was not checked");
    };
    assert_eq!(check().await, Value::Null);
    tamper(&app, "vault_tiles", "DELETE FROM vault_tiles").await;
    assert_eq!(check().await, "tile 0/0 is missing");
    let scheduled: i64 = sqlx::query_scalar("SELECT count(*) FROM schedules WHERE name = 'vault.check'")
        .fetch_one(app.core().db.pool())
        .await
        .unwrap();
    assert_eq!(scheduled, 1);
}
