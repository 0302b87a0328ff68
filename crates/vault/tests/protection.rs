//! The ledger is not changed by whoever serves requests or runs jobs, and not by accident by who owns it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use kernel::{Caller, Db, caller::Principal, ids::ProjectId};
use sqlx::AssertSqlSafe;
use testkit::{TestDatabase, services};
use vault::{Appender, NewSeals, Vault, note::VaultKeys, personal::Keks};

/// What was sealed, and what follows from it.
const LEDGER: [&str; 5] = ["vault_entries", "vault_tags", "vault_tiles", "vault_checkpoints", "vault_cosignatures"];

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
        let core = testkit::core(db.clone());
        let (keys, keks) = (VaultKeys::generate(&core.ids), Keks::generate(&core.ids));
        let vault = Vault::new(core.clone(), keys, keks, &"https://api.example.com".parse().unwrap());
        let mut projects = [ProjectId::from(uuid::Uuid::nil()); 2];
        for (project, count) in projects.iter_mut().zip([300, 5]) {
            *project = testkit::project(&core, "some").await.unwrap();
            let by = Principal::system(*project);
            let read = |n: u64| {
                let seal = format!(
                    r#"{{"kind":"k","verdict":"HOLD","payload":{n},"tags":["t"],"subject":"s","personal":{n}}}"#
                );
                serde_json::from_str(&seal).unwrap()
            };
            let seals = NewSeals { seals: (0..count).map(read).collect(), expected_size: None };
            Appender::new(vault.clone()).append(&by, &seals, None, None).await.unwrap();
        }
        Self { db, ours: projects[0], theirs: projects[1], _database: database }
    }

    fn callers(&self) -> [Caller; 3] {
        [Caller::Project(self.ours), Caller::Job(self.ours), Caller::Worker]
    }

    /// That Postgres refuses the statement, and says `why`.
    async fn refused(&self, caller: Caller, statement: &str, why: &str) {
        let mut tx = self.db.begin(caller).await.unwrap();
        let statement = statement.replace("OURS", &format!("'{}'", self.ours.uuid()));
        match sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *tx).await {
            Ok(_) => panic!("{caller:?} may: {statement}"),
            Err(error) => assert!(error.to_string().contains(why), "{caller:?}: {statement}: {error}"),
        }
    }

    /// That even the owner, a superuser, is refused in a transaction that puts ordinary triggers to sleep.
    async fn refused_to_the_owner(&self, statement: &str) {
        for role in ["origin", "replica"] {
            let mut tx = self.db.pool().begin().await.unwrap();
            let sleep = format!("SET LOCAL session_replication_role = {role}");
            sqlx::query(AssertSqlSafe(sleep)).execute(&mut *tx).await.unwrap();
            let refused = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await.unwrap_err();
            assert!(refused.to_string().contains("the vault is append-only"), "{role}: {statement}: {refused}");
        }
    }

    async fn sizes(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT size FROM vault_logs ORDER BY size").fetch_all(self.db.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn nobody_who_works_may_change_the_ledger() {
    let scene = Scene::new().await;
    for caller in scene.callers() {
        for table in LEDGER {
            for statement in ["UPDATE {} SET project_id = project_id", "DELETE FROM {}", "TRUNCATE {}"] {
                scene.refused(caller, &statement.replace("{}", table), "permission denied").await;
            }
        }
        for statement in [
            "UPDATE vault_logs SET size = 0",
            "INSERT INTO vault_logs (project_id) VALUES (gen_random_uuid())",
            "DELETE FROM vault_logs",
            "TRUNCATE vault_logs",
            "INSERT INTO vault_checkpoints VALUES (OURS, 299, sha256('x'), now())",
            "UPDATE vault_payloads SET sealed = 'x'",
            "DELETE FROM vault_payloads",
            "TRUNCATE vault_payloads",
            "UPDATE vault_subject_keys SET wrapped = 'x'",
            "DELETE FROM vault_subject_keys",
            "UPDATE vault_proposals SET expires_at = now()",
            "DELETE FROM vault_proposals",
            "UPDATE vault_outbox SET seal = 'x'",
            "SET session_replication_role = replica",
        ] {
            scene.refused(caller, statement, "permission denied").await;
        }
        for table in LEDGER {
            for how in ["DISABLE TRIGGER append_only", "DISABLE TRIGGER ALL", "NO FORCE ROW LEVEL SECURITY"] {
                scene.refused(caller, &format!("ALTER TABLE {table} {how}"), "must be owner").await;
            }
            scene.refused(caller, &format!("DROP TRIGGER append_only ON {table}"), "must be owner").await;
        }
    }
    // Only a request erases, and only a worker says how a check ended and what witnesses signed.
    scene.refused(Caller::Job(scene.ours), "SELECT vault_erase('s')", "permission denied").await;
    let progress = "INSERT INTO vault_progress (project_id) VALUES (OURS)";
    scene.refused(Caller::Project(scene.ours), progress, "permission denied").await;
    let cosignature = "INSERT INTO vault_cosignatures VALUES (OURS, 300, 'w', 'l', now())";
    scene.refused(Caller::Project(scene.ours), cosignature, "permission denied").await;
}

#[tokio::test]
async fn nobody_who_works_writes_into_the_log_of_another_project() {
    let scene = Scene::new().await;
    for table in
        ["vault_entries", "vault_tags", "vault_tiles", "vault_cosignatures", "vault_payloads", "vault_proposals"]
    {
        for caller in [Caller::Project(scene.theirs), Caller::Job(scene.theirs)] {
            // The row is made by the owner first, so that it is whole.
            let mut tx = scene.db.pool().begin().await.unwrap();
            let row = format!("CREATE TEMP TABLE a_row ON COMMIT DROP AS SELECT * FROM {table} LIMIT 1");
            sqlx::query(AssertSqlSafe(row)).execute(&mut *tx).await.unwrap();
            let empty: bool =
                sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM a_row)").fetch_one(&mut *tx).await.unwrap();
            if empty {
                sqlx::query("INSERT INTO a_row VALUES ($1, 1, 'w', 'l', now())")
                    .bind(scene.ours)
                    .execute(&mut *tx)
                    .await
                    .unwrap();
            }
            let (role, project) = match caller {
                Caller::Project(project) => ("holdfast_app", project),
                Caller::Job(project) => ("holdfast_worker", project),
                other => panic!("{other:?} is not asked for"),
            };
            let become_it = format!(
                "UPDATE a_row SET project_id = '{}'; GRANT SELECT ON a_row TO {role}; SET LOCAL ROLE {role}; \
                 SET LOCAL app.project_id = '{}'",
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
            assert!(refused.to_string().contains(why), "{caller:?}: {table}: {refused}");
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
            "SELECT vault_advance({from}, {to}, sha256('x'), repeat('x', 32 * bit_count({to}::bit(64))::int)::bytea, '{{}}', now() + interval '1 day')"
        )
    };
    let at = "the log is not at size";
    for caller in [Caller::Project(scene.ours), Caller::Job(scene.ours)] {
        // Too small, as another project's is, too large, and back.
        for (from, to) in [(299, 301), (5, 6), (301, 302), (300, 300), (300, 299)] {
            scene.refused(caller, &advance(from, to), at).await;
        }
        let early = advance(300, 301).replace("now() + interval '1 day'", "now() - interval '1 day'");
        scene.refused(caller, &early, at).await;
        // The edge is of another size.
        let edge = advance(300, 301).replace("bit_count(301", "bit_count(1");
        scene.refused(caller, &edge, "vault_logs_check").await;
    }
    for caller in [Caller::Worker, Caller::Anonymous] {
        for from in [5, 300] {
            scene.refused(caller, &advance(from, 301), at).await;
        }
    }
    for statement in [advance(300, 301), "SELECT vault_lock()".to_owned(), "SELECT vault_erase('s')".to_owned()] {
        scene.refused(Caller::Door, &statement, "permission denied").await;
    }
    assert_eq!(scene.sizes().await, [5, 300]);
    // A project that has no log yet gets one of its own, and nobody else's.
    let mut tx = scene.db.begin(Caller::Project(scene.theirs)).await.unwrap();
    let size: i64 = sqlx::query_scalar("SELECT size FROM vault_lock()").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(size, 5);
}
