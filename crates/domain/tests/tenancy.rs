//! Postgres keeps tenants apart, even when a query forgets its `WHERE`: checked for every table in
//! the catalog, not for a list of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use domain::identity;
use kernel::{
    Db, DbScope,
    ids::{OrganizationId, ProjectId, UserId},
};
use sqlx::{AssertSqlSafe, Row};
use testkit::{TestDatabase, services};
use uuid::Uuid;

async fn database() -> (TestDatabase, Db) {
    let database = services::shared().await.unwrap().postgres.database().await.unwrap();
    let db = database.db(4).unwrap();
    (database, db)
}

/// Returns every table that holds tenants' rows, and the column that names the tenant.
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
        let row = sqlx::query(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass($1)",
        )
        .bind(table)
        .fetch_one(db.pool())
        .await
        .unwrap();
        assert!(row.get::<bool, _>(0), "{table} has no row-level security");
        assert!(row.get::<bool, _>(1), "row-level security of {table} is not forced on its owner");
    }
}

/// Puts one row for each of two projects into every tenant table, with values made up from the
/// catalog, so that a new table is covered by its existence.
async fn fill(db: &Db, tables: &[(String, String)], projects: [ProjectId; 2]) {
    for (table, tenant) in tables.iter().filter(|(table, _)| table != "projects") {
        for project in projects {
            row(db, table, &[(tenant, project.uuid())]).await;
        }
    }
}

/// Inserts a row of made-up values, except for the columns in `fixed`.
async fn row(db: &Db, table: &str, fixed: &[(&str, Uuid)]) {
    let columns: Vec<(String, String)> = sqlx::query(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute \
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped \
           AND (attnotnull AND NOT atthasdef AND attidentity = '' OR attname = ANY ($2))",
    )
    .bind(table)
    .bind(fixed.iter().map(|(column, _)| (*column).to_owned()).collect::<Vec<_>>())
    .fetch_all(db.pool())
    .await
    .unwrap()
    .iter()
    .map(|row| (row.get(0), row.get(1)))
    .collect();
    let value = |(column, kind): &(String, String)| match (column.as_str(), kind.as_str()) {
        (column, _) if fixed.iter().any(|(fixed, _)| *fixed == column) => {
            format!("'{}'", fixed.iter().find(|(fixed, _)| *fixed == column).unwrap().1)
        }
        ("state", "text") => "'accepted'".to_owned(),
        ("role", _) => "'developer'".to_owned(),
        ("purpose", _) => "'verify_email'".to_owned(),
        ("signature", _) => "decode(repeat('07', 64), 'hex')".to_owned(),
        ("hashes", "bytea") => "decode(repeat('07', 8192), 'hex')".to_owned(),
        (_, "uuid") => "gen_random_uuid()".to_owned(),
        (_, "bytea") => "sha256(gen_random_uuid()::text::bytea)".to_owned(),
        (_, "jsonb") => "'[]'".to_owned(),
        (_, "text[]") => "'{}'".to_owned(),
        (_, kind) if kind.starts_with("timestamp") => "now()".to_owned(),
        (_, "integer" | "bigint" | "smallint") => "1".to_owned(),
        _ => "gen_random_uuid()::text".to_owned(),
    };
    let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let values = columns.iter().map(value).collect::<Vec<_>>().join(", ");
    // No constraint is checked: a row may name an intent that does not exist.
    let sql = format!(
        "BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO {table} ({names}) VALUES \
        ({values}); COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.unwrap();
}

#[tokio::test]
async fn a_query_without_where_sees_one_project() {
    let (_database, db) = database().await;
    let core = testkit::test_core(db.clone());
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    let (theirs, _) = identity::bootstrap(&core, "theirs", "development").await.unwrap();
    let tables = tenant_tables(&db).await;
    fill(&db, &tables, [ours, theirs]).await;

    for (table, tenant) in &tables {
        let seen = async |scope: DbScope| -> Vec<Uuid> {
            let mut tx = db.begin(scope).await.unwrap();
            let sql = AssertSqlSafe(format!("SELECT DISTINCT {tenant} FROM {table} ORDER BY 1"));
            sqlx::query(sql).fetch_all(&mut *tx).await.unwrap().iter().map(|row| row.get(0)).collect()
        };
        let may_select: bool =
            sqlx::query("SELECT has_table_privilege('holdfast_app', to_regclass($1), 'SELECT')")
                .bind(table)
                .fetch_one(db.pool())
                .await
                .unwrap()
                .get(0);
        assert!(may_select, "{table} cannot be checked: holdfast_app may not read it");
        assert_eq!(
            seen(DbScope::Project(ours)).await,
            [ours.uuid()],
            "{table} shows a project another's rows"
        );
        assert!(seen(DbScope::Credentials).await.is_empty(), "{table} shows rows to nobody in particular");
        if worker_may_read(&db, table).await {
            assert_eq!(
                seen(DbScope::Job(theirs)).await,
                [theirs.uuid()],
                "{table} shows a job another project's rows"
            );
            assert_eq!(
                seen(DbScope::Worker).await,
                [ours.uuid(), theirs.uuid()],
                "{table} hides rows from the worker"
            );
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
    let core = testkit::test_core(db.clone());
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    let (theirs, _) = identity::bootstrap(&core, "theirs", "development").await.unwrap();
    let mut tx = db.begin(DbScope::Project(ours)).await.unwrap();
    let refused = sqlx::query(
        "INSERT INTO signature_nonces (project_id, digest, expires_at) VALUES ($1, sha256('x'), now())",
    )
    .bind(theirs)
    .execute(&mut *tx)
    .await
    .unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn the_audit_log_is_append_only() {
    let (_database, db) = database().await;
    let core = testkit::test_core(db.clone());
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    for scope in [DbScope::Project(ours), DbScope::Job(ours), DbScope::Worker] {
        for statement in
            ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"]
        {
            let mut tx = db.begin(scope).await.unwrap();
            let refused = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
            assert!(refused.to_string().contains("permission denied"), "{scope:?}: {statement}: {refused}");
        }
    }
}

/// The application's role can add jobs and never read them: payloads name other tenants' rows.
#[tokio::test]
async fn a_request_cannot_read_the_queue() {
    let (_database, db) = database().await;
    let (ours, _) =
        identity::bootstrap(&testkit::test_core(db.clone()), "ours", "development").await.unwrap();
    let mut tx = db.begin(DbScope::Project(ours)).await.unwrap();
    let refused = sqlx::query("SELECT payload FROM jobs").execute(&mut *tx).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}

/// Returns the tables of people and organizations, with the columns that name the owner of a row.
/// `id` of `users` and `organizations` is one.
async fn tables_of_people(db: &Db) -> Vec<(String, Vec<String>)> {
    let rows = sqlx::query(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY 1) \
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped \
           AND (a.attname IN ('user_id', 'organization_id') \
                OR (c.relname IN ('users', 'organizations') AND a.attname = 'id') \
                OR (c.relname = 'idempotent_requests' AND a.attname = 'tenant')) GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(db.pool())
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Every table about people is forced under row-level security, also one that names its owner only
/// through another table.
#[tokio::test]
async fn every_table_of_people_is_protected() {
    let (_database, db) = database().await;
    let tables = tables_of_people(&db).await;
    assert!(tables.len() >= 10, "too few tables were found: {tables:?}");
    let names =
        tables.iter().map(|(name, _)| name.clone()).chain(["refresh_tokens".to_owned()]).collect::<Vec<_>>();
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relname = ANY ($1) AND relkind = 'r' AND NOT \
        (relrowsecurity AND relforcerowsecurity)",
    )
    .bind(names)
    .fetch_all(db.pool())
    .await
    .unwrap();
    assert!(open.is_empty(), "without forced row-level security: {open:?}");
}

/// Two organizations, Ada in the one and Bob in the other, and a row for each of them in every
/// table.
struct Two {
    tables: Vec<(String, Vec<String>)>,
    ada: (UserId, OrganizationId),
    bob: (UserId, OrganizationId),
}

impl Two {
    async fn set(db: &Db) -> Self {
        let core = testkit::test_core(db.clone());
        let tables = tables_of_people(db).await;
        let [ada, bob] = [(); 2].map(|()| (core.ids.next(), core.ids.next()));
        for (user, organization) in [ada, bob] {
            let (user, organization): (UserId, OrganizationId) = (user, organization);
            for (table, columns) in &tables {
                let of = |column: &String| match (table.as_str(), column.as_str()) {
                    ("users", _) | (_, "user_id" | "tenant") => user.uuid(),
                    _ => organization.uuid(),
                };
                // Either a person's or an invitation's: the table says so.
                let fixed: Vec<(&str, Uuid)> =
                    columns.iter().map(|column| (column.as_str(), of(column))).collect();
                row(db, table, &fixed).await;
            }
        }
        Self { tables, ada, bob }
    }

    /// Returns the values that a query without `WHERE` finds in the owner columns of each table;
    /// none where the role may not read.
    async fn seen(&self, db: &Db, scope: DbScope) -> Vec<(&str, Vec<Uuid>)> {
        let mut seen = Vec::new();
        for (table, columns) in &self.tables {
            let mut tx = db.begin(scope).await.unwrap();
            let whose = columns.join(", ");
            let sql = format!("SELECT unnest(ARRAY[{whose}]) FROM {table}");
            let found =
                match sqlx::query_scalar::<_, Option<Uuid>>(AssertSqlSafe(sql)).fetch_all(&mut *tx).await {
                    Ok(found) => found.into_iter().flatten().collect(),
                    Err(error) if error.to_string().contains("permission denied") => Vec::new(),
                    Err(error) => panic!("{table}: {error}"),
                };
            seen.push((table.as_str(), found));
        }
        seen
    }
}

#[tokio::test]
async fn a_query_without_where_shows_a_person_what_is_theirs() {
    let (_database, db) = database().await;
    let two = Two::set(&db).await;
    let ((ada, hers), (bob, his)) = (two.ada, two.bob);
    // Naming an organization in the scope opens nothing unless the person is a member of it.
    let scopes = [DbScope::Person(ada), DbScope::Member(ada, hers), DbScope::Member(ada, his)];
    for scope in scopes {
        for (table, found) in two.seen(&db, scope).await {
            for foreign in [bob.uuid(), his.uuid()] {
                assert!(!found.contains(&foreign), "{table} shows {scope:?} what is Bob's");
            }
        }
    }
    let of = |seen: &[(&str, Vec<Uuid>)], wanted: &str| {
        seen.iter().find(|(table, _)| *table == wanted).map(|(_, found)| found.len()).unwrap()
    };
    let member = two.seen(&db, DbScope::Member(ada, hers)).await;
    for table in ["users", "organizations", "memberships", "invitations", "projects", "audit_events"] {
        assert!(of(&member, table) > 0, "{table} hides from a member what is the organization's");
    }
    let person = two.seen(&db, DbScope::Person(ada)).await;
    for table in [
        "users",
        "sessions",
        "passkeys",
        "memberships",
        "organizations",
        "audit_events",
        "idempotent_requests",
    ] {
        assert!(of(&person, table) > 0, "{table} hides from a person what is theirs");
    }
    for table in ["invitations", "projects"] {
        assert_eq!(of(&person, table), 0, "{table} shows an organization's rows to one who did not enter it");
        assert_eq!(of(&two.seen(&db, DbScope::Member(ada, his)).await, table), 0, "{table}");
    }
    let nobody: UserId = testkit::test_core(db.clone()).ids.next();
    for scope in [DbScope::Credentials, DbScope::Person(nobody), DbScope::Member(nobody, hers)] {
        for (table, found) in two.seen(&db, scope).await {
            assert!(found.is_empty(), "{table} shows rows to {scope:?}");
        }
    }
}

/// A transaction before the caller is known sees accounts and memberships, and no data of tenants.
#[tokio::test]
async fn the_front_door_sees_no_tenants_data() {
    let (_database, db) = database().await;
    let core = testkit::test_core(db.clone());
    let (ours, _) = identity::bootstrap(&core, "ours", "development").await.unwrap();
    let (theirs, _) = identity::bootstrap(&core, "theirs", "development").await.unwrap();
    let tables = tenant_tables(&db).await;
    fill(&db, &tables, [ours, theirs]).await;
    let two = Two::set(&db).await;
    for scope in [DbScope::PreAuth, DbScope::Joining(two.ada.0)] {
        for (table, _) in tables.iter().filter(|(table, _)| table != "projects") {
            let mut tx = db.begin(scope).await.unwrap();
            let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            match sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *tx).await {
                Ok(seen) => assert_eq!(seen, 0, "{table} shows rows to {scope:?}"),
                Err(error) => assert!(error.to_string().contains("permission denied"), "{table}: {error}"),
            }
        }
    }
    // First answers may hold secrets: a person's are for that person.
    let seen = async |scope| {
        let seen = two.seen(&db, scope).await;
        seen.into_iter().find(|(table, _)| *table == "idempotent_requests").unwrap().1
    };
    assert!(seen(DbScope::PreAuth).await.is_empty());
    assert_eq!(seen(DbScope::Joining(two.ada.0)).await, [two.ada.0.uuid()]);
}
