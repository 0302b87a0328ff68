//! The roles that serve requests and run jobs cannot change the ledger, and its owner cannot by
//! accident.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use kernel::{
    Db, DbScope,
    caller::{Authorized, Principal},
    ids::ProjectId,
};
use sqlx::AssertSqlSafe;
use testkit::{TestDatabase, services};
use vault::{Appender, KekRing, NewSeals, Vault, VaultKeyRing};

/// The tables of sealed entries, and of the rows that follow from them.
const LEDGER: [&str; 5] =
    ["vault_entries", "vault_tags", "vault_tiles", "vault_checkpoints", "vault_cosignatures"];

/// Two projects, each with a log.
struct Scene {
    db: Db,
    ours: ProjectId,
    theirs: ProjectId,
    _database: TestDatabase,
}

impl Scene {
    async fn new() -> Self {
        let database = services::shared().await.unwrap().postgres.database().await.unwrap();
        let db: Db = database.db(4).unwrap();
        let core = testkit::test_core(db.clone());
        let (keys, keks) = (VaultKeyRing::generate(&core.ids), KekRing::generate(&core.ids));
        let vault = Vault::new(core.clone(), &keys, &keks, &"https://api.example.com".parse().unwrap());
        let mut projects = [ProjectId::from(uuid::Uuid::nil()); 2];
        for (project, count) in projects.iter_mut().zip([300, 5]) {
            *project = testkit::project(&core, "some").await.unwrap();
            let by = Authorized::check(Principal::system(*project)).unwrap();
            let read = |n: u64| {
                let seal = serde_json::json!({
                    "kind": "k", "verdict": "HOLD", "payload": n,
                    "tags": ["t"], "subject": "s", "personal": n,
                });
                serde_json::from_str(&seal.to_string()).unwrap()
            };
            let seals = NewSeals { seals: (0..count).map(read).collect(), expected_size: None };
            Appender::new(vault.clone()).append(&by, &seals).await.unwrap();
        }
        Self { db, ours: projects[0], theirs: projects[1], _database: database }
    }

    fn scopes(&self) -> [DbScope; 3] {
        [DbScope::Project(self.ours), DbScope::Job(self.ours), DbScope::Worker]
    }

    /// Requires that Postgres refuses the statement, and says `why`.
    async fn refused(&self, scope: DbScope, statement: &str, why: &str) {
        let mut tx = self.db.begin(scope).await.unwrap();
        let statement = statement.replace("OURS", &format!("'{}'", self.ours.uuid()));
        match sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *tx).await {
            Ok(_) => panic!("{scope:?} may: {statement}"),
            Err(error) => assert!(error.to_string().contains(why), "{scope:?}: {statement}: {error}"),
        }
    }

    /// Requires that even the owner, a superuser, is refused in a transaction that disables
    /// ordinary triggers.
    async fn refused_to_the_owner(&self, statement: &str) {
        for role in ["origin", "replica"] {
            let mut tx = self.db.pool().begin().await.unwrap();
            let disable = format!("SET LOCAL session_replication_role = {role}");
            sqlx::query(AssertSqlSafe(disable)).execute(&mut *tx).await.unwrap();
            let refused =
                sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.unwrap_err();
            let why = "the vault is append-only";
            assert!(refused.to_string().contains(why), "{role}: {statement}: {refused}");
        }
    }

    async fn sizes(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT size FROM vault_logs ORDER BY size")
            .fetch_all(self.db.pool())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn nobody_who_works_may_change_the_ledger() {
    let scene = Scene::new().await;
    for scope in scene.scopes() {
        for table in LEDGER {
            for statement in ["UPDATE {} SET project_id = project_id", "DELETE FROM {}", "TRUNCATE {}"] {
                scene.refused(scope, &statement.replace("{}", table), "permission denied").await;
            }
        }
        for statement in [
            "UPDATE vault_logs SET size = 0",
            "INSERT INTO vault_logs (project_id) VALUES (gen_random_uuid())",
            "DELETE FROM vault_logs",
            "TRUNCATE vault_logs",
            "INSERT INTO vault_checkpoints VALUES (OURS, 299, sha256('x'), now())",
            "UPDATE vault_payloads SET ciphertext = 'x'",
            "DELETE FROM vault_payloads",
            "TRUNCATE vault_payloads",
            "UPDATE vault_subject_keys SET wrapped = 'x'",
            "DELETE FROM vault_subject_keys",
            "UPDATE vault_proposals SET expires_at = now()",
            "DELETE FROM vault_proposals",
            "UPDATE vault_outbox SET seal = 'x'",
            "SET session_replication_role = replica",
        ] {
            scene.refused(scope, statement, "permission denied").await;
        }
        for table in LEDGER {
            for how in ["DISABLE TRIGGER append_only", "DISABLE TRIGGER ALL", "NO FORCE ROW LEVEL SECURITY"] {
                scene.refused(scope, &format!("ALTER TABLE {table} {how}"), "must be owner").await;
            }
            scene.refused(scope, &format!("DROP TRIGGER append_only ON {table}"), "must be owner").await;
        }
    }
    // Only a request erases, and only a worker stores the results of checks and cosignatures.
    scene.refused(DbScope::Job(scene.ours), "SELECT vault_erase('s')", "permission denied").await;
    let progress = "INSERT INTO vault_progress (project_id) VALUES (OURS)";
    scene.refused(DbScope::Project(scene.ours), progress, "permission denied").await;
    let cosignature = "INSERT INTO vault_cosignatures VALUES (OURS, 300, 'w', 'l', now())";
    scene.refused(DbScope::Project(scene.ours), cosignature, "permission denied").await;
}

#[tokio::test]
async fn nobody_who_works_writes_into_the_log_of_another_project() {
    let scene = Scene::new().await;
    let tables = [
        "vault_entries",
        "vault_tags",
        "vault_tiles",
        "vault_cosignatures",
        "vault_payloads",
        "vault_proposals",
    ];
    for table in tables {
        for scope in [DbScope::Project(scene.theirs), DbScope::Job(scene.theirs)] {
            // The owner makes the row first, so that it is whole.
            let mut tx = scene.db.pool().begin().await.unwrap();
            let row = format!("CREATE TEMP TABLE a_row ON COMMIT DROP AS SELECT * FROM {table} LIMIT 1");
            sqlx::query(AssertSqlSafe(row)).execute(&mut *tx).await.unwrap();
            let empty = "SELECT NOT EXISTS (SELECT FROM a_row)";
            let empty: bool = sqlx::query_scalar(empty).fetch_one(&mut *tx).await.unwrap();
            if empty {
                sqlx::query("INSERT INTO a_row VALUES ($1, 1, 'w', 'l', now())")
                    .bind(scene.ours)
                    .execute(&mut *tx)
                    .await
                    .unwrap();
            }
            let (role, project) = match scope {
                DbScope::Project(project) => ("holdfast_app", project),
                DbScope::Job(project) => ("holdfast_worker", project),
                other => panic!("{other:?} is not asked for"),
            };
            let become_it = format!(
                "UPDATE a_row SET project_id = '{}'; GRANT SELECT ON a_row TO {role}; \
                 SET LOCAL ROLE {role}; SET LOCAL app.project_id = '{}'",
                scene.ours.uuid(),
                project.uuid()
            );
            sqlx::raw_sql(AssertSqlSafe(become_it)).execute(&mut *tx).await.unwrap();
            let insert = format!("INSERT INTO {table} SELECT * FROM a_row");
            let refused = sqlx::query(AssertSqlSafe(insert)).execute(&mut *tx).await.unwrap_err();
            let why = match (table, role) {
                ("vault_cosignatures", "holdfast_app") => "permission denied",
                _ => "row-level security",
            };
            assert!(refused.to_string().contains(why), "{scope:?}: {table}: {refused}");
        }
    }
}

#[tokio::test]
async fn the_owner_changes_nothing_by_accident() {
    let scene = Scene::new().await;
    for table in LEDGER {
        scene.refused_to_the_owner(&format!("UPDATE {table} SET project_id = project_id WHERE false")).await;
        scene.refused_to_the_owner(&format!("DELETE FROM {table}")).await;
        scene.refused_to_the_owner(&format!("TRUNCATE {table}")).await;
    }
    scene.refused_to_the_owner("DELETE FROM vault_logs").await;
    scene.refused_to_the_owner("TRUNCATE vault_logs").await;
}

#[tokio::test]
async fn one_size_has_one_root() {
    let scene = Scene::new().await;
    let twice = sqlx::query("INSERT INTO vault_checkpoints VALUES ($1, 300, sha256('another'), now())")
        .bind(scene.ours)
        .execute(scene.db.pool())
        .await
        .unwrap_err();
    assert!(twice.to_string().contains("vault_checkpoints_size"), "{twice}");
}

#[tokio::test]
async fn a_head_moves_on_from_where_it_is_and_only_ours() {
    let scene = Scene::new().await;
    let advance = |from: i64, to: i64| {
        format!(
            "SELECT vault_advance({from}, {to}, sha256('x'), \
                 repeat('x', 32 * bit_count({to}::bit(64))::int)::bytea, '{{}}', now() + interval '1 day')"
        )
    };
    let at = "the log is not at size";
    for scope in [DbScope::Project(scene.ours), DbScope::Job(scene.ours)] {
        // Too small, as another project's is, too large, and back.
        for (from, to) in [(299, 301), (5, 6), (301, 302), (300, 300), (300, 299)] {
            scene.refused(scope, &advance(from, to), at).await;
        }
        let early = advance(300, 301).replace("now() + interval '1 day'", "now() - interval '1 day'");
        scene.refused(scope, &early, at).await;
        // The edge is of another size.
        let edge = advance(300, 301).replace("bit_count(301", "bit_count(1");
        scene.refused(scope, &edge, "vault_logs_check").await;
    }
    for scope in [DbScope::Worker, DbScope::Credentials] {
        for from in [5, 300] {
            scene.refused(scope, &advance(from, 301), at).await;
        }
    }
    for statement in [&advance(300, 301), "SELECT vault_lock()", "SELECT vault_erase('s')"] {
        scene.refused(DbScope::PreAuth, statement, "permission denied").await;
    }
    assert_eq!(scene.sizes().await, [5, 300]);
    // A project that has no log yet gets one of its own, and nobody else's.
    let mut tx = scene.db.begin(DbScope::Project(scene.theirs)).await.unwrap();
    let size: i64 = sqlx::query_scalar("SELECT size FROM vault_lock()").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(size, 5);
}
