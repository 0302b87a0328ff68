//! A log with something of everything in it, and an attacker with all rights over its database.

use std::collections::BTreeSet;

use kernel::{
    Db,
    caller::{Actor, Allows, Authorized, Principal},
    ids::{ProjectId, UserId},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use testkit::{TestDatabase, services};
use tlog_tiles::record_hash;
use vault::{
    self, Appender, Decision, KekRing, NewSeals, Reason, SealedBatch, Vault, VaultKeyRing,
    format::{receipt::Receipt, tree::Tree},
    fsck::{self, Check, KnownHead, Report},
};

/// The tables of a log.
pub const TABLES: [&str; 9] = [
    "vault_logs",
    "vault_entries",
    "vault_tags",
    "vault_tiles",
    "vault_checkpoints",
    "vault_cosignatures",
    "vault_payloads",
    "vault_subject_keys",
    "vault_proposals",
];

/// A log with something of everything, and an attacker with all rights over its database.
pub struct Scene {
    pub vault: Vault,
    appender: Appender,
    pub by: Principal,
    pub pool: PgPool,
    _database: TestDatabase,
}

impl Scene {
    pub async fn new() -> Self {
        let database = services::shared().await.unwrap().postgres.database().await.unwrap();
        let db: Db = database.db(8).unwrap();
        let pool = db.pool().clone();
        let core = testkit::test_core(db);
        let project = testkit::project(&core, "ours").await.unwrap();
        let (keys, keks) = (VaultKeyRing::generate(&core.ids), KekRing::generate(&core.ids));
        let vault = Vault::new(core, &keys, &keks, &"https://api.example.com".parse().unwrap());
        let appender = Appender::new(vault.clone());
        Self { vault, appender, by: Principal::system(project), pool, _database: database }
    }

    /// Returns a log of 1,300 entries in four commits: proposals of which two are decided, personal
    /// data of which some is erased, and tags.
    pub async fn full() -> Self {
        let scene = Self::new().await;
        scene.append((0..700).map(seal)).await;
        scene.append((700..1_200).map(seal)).await;
        scene.decide(7, Decision::Approved).await;
        scene.decide(107, Decision::Rejected).await;
        vault::erase(&scene.vault, &scene.allowed(), "erased").await.unwrap();
        scene.append((1_203..1_300).map(seal)).await;
        let other = testkit::project(&scene.vault.core, "another").await.unwrap();
        let by = Principal::system(other);
        scene.append_as(&by, (0..300).map(seal)).await;
        scene
    }

    pub async fn append_as(&self, by: &Principal, seals: impl Iterator<Item = Value>) -> u64 {
        let read = |seal: Value| serde_json::from_str(&seal.to_string()).unwrap();
        let seals = NewSeals { seals: seals.map(read).collect(), expected_size: None };
        let by = Authorized::check(by.clone()).unwrap();
        let answer = self.appender.append(&by, &seals).await.unwrap();
        serde_json::from_slice::<SealedBatch>(answer.body()).unwrap().size
    }

    pub async fn append(&self, seals: impl Iterator<Item = Value>) -> u64 {
        self.append_as(&self.by, seals).await
    }

    pub async fn decide(&self, index: u64, decision: Decision) {
        let person: UserId = self.vault.core.ids.next();
        let by = Authorized::check(Principal { actor: Actor::Person(person), ..self.by.clone() }).unwrap();
        let reason = Reason { reason: "seen".to_owned() };
        vault::decide(&self.vault, &by, index, decision, &reason).await.unwrap();
    }

    /// Returns Holdfast itself, with a permission.
    pub fn allowed<P: Allows>(&self) -> Authorized<P> {
        Authorized::check(self.by.clone()).unwrap()
    }

    pub fn project(&self) -> ProjectId {
        self.by.project
    }

    pub async fn check(&self) -> Report {
        self.check_with(&Check::default()).await
    }

    pub async fn check_with(&self, check: &Check) -> Report {
        Box::pin(fsck::check(&self.vault, self.project().into(), check, |_, _| {})).await.unwrap()
    }

    /// Checks the log against `text`.
    pub async fn check_against(&self, text: &str) -> Report {
        let known = KnownHead::read(&self.vault, text).unwrap();
        self.check_with(&Check { against: vec![known], ..Check::default() }).await
    }

    pub async fn sql(&self, text: &str) {
        let text = text.replace("OURS", &format!("'{}'", self.project().uuid()));
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(&self.pool).await {
            panic!("{text}: {error}");
        }
    }

    /// Disables the triggers, as a superuser can, and keeps a copy of everything.
    pub async fn break_in(&self) {
        for table in TABLES {
            let disable = format!("ALTER TABLE {table} DISABLE TRIGGER USER");
            self.sql(&format!("{disable}; CREATE TABLE kept_{table} AS TABLE {table}")).await;
        }
    }

    pub async fn undo(&self) {
        for table in TABLES {
            self.sql(&format!("TRUNCATE {table}; INSERT INTO {table} TABLE kept_{table}")).await;
        }
    }

    pub async fn checkpoint(&self) -> String {
        vault::checkpoint(&self.vault, self.project().into()).await.unwrap()
    }

    pub async fn receipt(&self, index: u64) -> String {
        vault::receipt(&self.vault, &self.allowed(), index).await.unwrap()
    }

    pub fn verifies(&self, receipt: &str) -> bool {
        let log = self.project().into();
        let receipt = Receipt::parse(receipt).unwrap();
        receipt.verify(&self.vault.origin(log), &self.vault.verifiers(log)).is_ok()
    }

    /// Rebuilds everything that follows from the entries, as an attacker would to hide a change.
    pub async fn make_consistent(&self) {
        let entries: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT index, entry FROM vault_entries WHERE project_id = $1 ORDER BY index")
                .bind(self.project())
                .fetch_all(&self.pool)
                .await
                .unwrap();
        let sizes: Vec<i64> = sqlx::query_scalar("SELECT size FROM vault_checkpoints WHERE project_id = $1")
            .bind(self.project())
            .fetch_all(&self.pool)
            .await
            .unwrap();
        let (mut tree, mut leaves) = (Tree::default(), Vec::new());
        for (index, entry) in &entries {
            let leaf = record_hash(entry);
            tree.push(leaf).unwrap();
            leaves.push(leaf);
            let sql = "UPDATE vault_entries SET leaf_hash = $3 WHERE project_id = $1 AND index = $2";
            self.set(sql, *index, &leaf.0).await;
            if sizes.contains(&(index + 1)) {
                let root = tree.root().unwrap();
                let sql = "UPDATE vault_checkpoints SET root = $3 WHERE project_id = $1 AND size = $2";
                self.set(sql, index + 1, &root.0).await;
            }
        }
        for (n, tile) in leaves.chunks_exact(256).enumerate() {
            let n = i64::try_from(n).unwrap();
            let hashes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
            let root = tree.node((8, n.cast_unsigned())).unwrap();
            self.set("UPDATE vault_tiles SET hashes = $3 WHERE project_id = $1 AND n = $2", n, &hashes).await;
            self.set("UPDATE vault_tiles SET root = $3 WHERE project_id = $1 AND n = $2", n, &root.0).await;
        }
        let edge: Vec<u8> = tree.edge().unwrap().iter().flat_map(|hash| hash.0).collect();
        let last = tree.size().cast_signed() - 1;
        self.set(
            "UPDATE vault_logs SET size = $2 + 1, edge = $3, \
                 at = (SELECT at FROM vault_entries WHERE project_id = $1 AND index = $2), \
                 verdicts = (SELECT jsonb_object_agg(verdict, n) FROM ( \
                     SELECT verdict, count(*) AS n FROM vault_entries WHERE project_id = $1 GROUP BY 1) c) \
             WHERE project_id = $1",
            last,
            &edge,
        )
        .await;
    }

    /// Replaces text in the bytes of an entry.
    pub async fn rewrite(&self, index: i64, from: &str, to: &str) {
        sqlx::query(
            "UPDATE vault_entries \
             SET entry = convert_to(replace(convert_from(entry, 'UTF8'), $3, $4), 'UTF8') \
             WHERE project_id = $1 AND index = $2",
        )
        .bind(self.project())
        .bind(index)
        .bind(from)
        .bind(to)
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// Deletes everything from index 1203 on, where a commit ended, and hides that.
    pub async fn cut_off_at_1203(&self) {
        for table in ["vault_entries", "vault_tags", "vault_payloads", "vault_proposals"] {
            self.sql(&format!("DELETE FROM {table} WHERE project_id = OURS AND index >= 1203")).await;
        }
        self.sql("DELETE FROM vault_checkpoints WHERE project_id = OURS AND size > 1203").await;
        self.sql("DELETE FROM vault_tiles WHERE project_id = OURS AND n >= 4").await;
        self.make_consistent().await;
    }

    pub async fn set(&self, sql: &'static str, place: i64, bytes: &[u8]) {
        sqlx::query(sql).bind(self.project()).bind(place).bind(bytes).execute(&self.pool).await.unwrap();
    }
}

/// Returns the seal that is meant for place `n`.
pub fn seal(n: u64) -> Value {
    let mut seal = json!({"kind": "test.case", "verdict": "SEAL", "payload": {"n": n}});
    match n % 100 {
        7 => seal["verdict"] = json!("HOLD"),
        8 => seal["tags"] = json!(["eu", format!("tag {}", n % 3)]),
        9 => seal["verdict"] = json!("DENY"),
        10 => {
            seal["subject"] = json!(if n < 500 { "erased" } else { "kept" });
            seal["personal"] = json!({"name": format!("Ada {n}")});
        }
        11 => seal["session_id"] = json!("run"),
        _ => {}
    }
    seal
}

/// Returns the sorts of the findings, each once.
pub fn sorts(report: &Report) -> BTreeSet<String> {
    let name = |finding: &fsck::Finding| json!(finding)["finding"].as_str().unwrap().to_owned();
    report.findings.iter().map(name).collect()
}

pub fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
