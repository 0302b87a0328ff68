//! Postgres keeps tenants apart, whatever a query forgets: checked for every table found in the catalogue, not for a list of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use dev::{TestDatabase, services};
use domain::{Caller, Clock, Core, Db, Ids, identity, ids::ProjectId, ports};
use sqlx::{AssertSqlSafe, Row};
use tokio::sync::Notify;

#[derive(Debug)]
struct NoHints;

impl ports::Wake for NoHints {
    fn wake(&self, _: ports::Topic) {}

    fn bell(&self, _: ports::Topic) -> Arc<Notify> {
        Arc::default()
    }
}

async fn database() -> (TestDatabase, Db) {
    let database = services::shared().await.unwrap().postgres.database().await.unwrap();
    let db = database.db(4).unwrap();
    (database, db)
}

fn core(db: &Db) -> Core {
    let clock = Clock::system();
    Core { db: db.clone(), ids: Ids::new(clock.clone()), clock, wake: Arc::new(NoHints) }
}

/// Every table that holds tenants' rows, and the column that says whose.
async fn tenant_tables(db: &Db) -> Vec<(String, String)> {
    let rows = sqlx::query(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped \
           AND (a.attname = 'project_id' OR (c.relname = 'projects' AND a.attname = 'id')) ORDER BY 1",
    )
    .fetch_all(db.pool())
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn every_tenant_table_is_protected() {
    let (_database, db) = database().await;
    let tables = tenant_tables(&db).await;
    assert!(tables.len() >= 7, "too few tenant tables were found: {tables:?}");
    for (table, _) in &tables {
        let row = sqlx::query("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass($1)")
            .bind(table)
            .fetch_one(db.pool())
            .await
            .unwrap();
        assert!(row.get::<bool, _>(0), "{table} has no row-level security");
        assert!(row.get::<bool, _>(1), "row-level security of {table} is not forced on its owner");
    }
}

/// Puts one row for each of two projects into every tenant table, values made up from the catalogue, so that a new table is covered by being there.
async fn fill(db: &Db, tables: &[(String, String)], projects: [ProjectId; 2]) {
    for (table, tenant) in tables.iter().filter(|(table, _)| table != "projects") {
        for project in projects {
            let columns: Vec<(String, String)> = sqlx::query(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute \
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND (attnotnull AND NOT atthasdef OR attname = $2)",
            )
            .bind(table)
            .bind(tenant)
            .fetch_all(db.pool())
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
            let value = |(column, kind): &(String, String)| match (column.as_str(), kind.as_str()) {
                (column, _) if column == tenant => format!("'{}'", project.uuid()),
                ("state", _) => "'accepted'".to_owned(),
                ("signature", _) => "decode(repeat('07', 64), 'hex')".to_owned(),
                (_, "uuid") => "gen_random_uuid()".to_owned(),
                (_, "bytea") => "sha256(gen_random_uuid()::text::bytea)".to_owned(),
                (_, "jsonb") => "'[]'".to_owned(),
                (_, kind) if kind.starts_with("timestamp") => "now()".to_owned(),
                (_, "integer" | "bigint" | "smallint") => "1".to_owned(),
                _ => "'x'".to_owned(),
            };
            let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            let values = columns.iter().map(value).collect::<Vec<_>>().join(", ");
            // The whole constraint system but tenancy is out of the picture: a row may name an intent that is not there.
            let sql = format!(
                "BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO {table} ({names}) VALUES ({values}); COMMIT"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_query_without_where_sees_one_project() {
    let (_database, db) = database().await;
    let core = core(&db);
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    let (theirs, _) = identity::bootstrap(&core, "theirs", "development").await.unwrap();
    let tables = tenant_tables(&db).await;
    fill(&db, &tables, [ours, theirs]).await;

    for (table, tenant) in &tables {
        let seen = async |caller: Caller| -> Vec<uuid::Uuid> {
            let mut tx = db.begin(caller).await.unwrap();
            let sql = AssertSqlSafe(format!("SELECT DISTINCT {tenant} FROM {table} ORDER BY 1"));
            sqlx::query(sql).fetch_all(&mut *tx).await.unwrap().iter().map(|row| row.get(0)).collect()
        };
        let may_select: bool = sqlx::query("SELECT has_table_privilege('holdfast_app', to_regclass($1), 'SELECT')")
            .bind(table)
            .fetch_one(db.pool())
            .await
            .unwrap()
            .get(0);
        assert!(may_select, "{table} cannot be checked: holdfast_app may not read it");
        assert_eq!(seen(Caller::Project(ours)).await, [ours.uuid()], "{table} shows a project another's rows");
        assert!(seen(Caller::Anonymous).await.is_empty(), "{table} shows rows to nobody in particular");
        if worker_may_read(&db, table).await {
            assert_eq!(seen(Caller::Job(theirs)).await, [theirs.uuid()], "{table} shows a job another project's rows");
            assert_eq!(seen(Caller::Worker).await, [ours.uuid(), theirs.uuid()], "{table} hides rows from the worker");
        }
    }
}

async fn worker_may_read(db: &Db, table: &str) -> bool {
    sqlx::query("SELECT has_table_privilege('holdfast_worker', to_regclass($1), 'SELECT')")
        .bind(table)
        .fetch_one(db.pool())
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn a_project_cannot_write_rows_for_another() {
    let (_database, db) = database().await;
    let core = core(&db);
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    let (theirs, _) = identity::bootstrap(&core, "theirs", "development").await.unwrap();
    let mut tx = db.begin(Caller::Project(ours)).await.unwrap();
    let refused =
        sqlx::query("INSERT INTO signature_nonces (project_id, digest, expires_at) VALUES ($1, sha256('x'), now())")
            .bind(theirs)
            .execute(&mut *tx)
            .await
            .unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn the_audit_log_is_append_only() {
    let (_database, db) = database().await;
    let core = core(&db);
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    for caller in [Caller::Project(ours), Caller::Job(ours), Caller::Worker] {
        for statement in ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"] {
            let mut tx = db.begin(caller).await.unwrap();
            let refused = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
            assert!(refused.to_string().contains("permission denied"), "{caller:?}: {statement}: {refused}");
        }
    }
}

/// The application's role can add jobs and never read them: payloads name other tenants' rows.
#[tokio::test]
async fn a_request_cannot_read_the_queue() {
    let (_database, db) = database().await;
    let (ours, _) = identity::bootstrap(&core(&db), "ours", "development").await.unwrap();
    let mut tx = db.begin(Caller::Project(ours)).await.unwrap();
    let refused = sqlx::query("SELECT payload FROM jobs").execute(&mut *tx).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}
