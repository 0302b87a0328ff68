//! Digests of the audit log in the vault: an export of it can be compared with the seals, and
//! changes of it show.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use kernel::{
    Clock,
    caller::RequestContext,
    crypto::{hex, sha256},
    ids::LogId,
};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use vault::{
    self,
    fsck::{self, Check},
    outbox,
};

use crate::audit::owner;

async fn start() -> (TestApp, Clock) {
    let clock = Clock::held(Clock::system().now());
    let options = AppOptions { worker: false, clock: clock.clone(), ..Default::default() };
    (TestApp::start_with(options).await.unwrap(), clock)
}

/// Digests the settled events, twice at once, and appends the seals.
async fn digest(app: &TestApp) -> Vec<Value> {
    let (core, project) = (app.core(), app.project());
    let request = RequestContext::default();
    let digest = || vault::digest_project(core, project, &request);
    let both = tokio::join!(digest(), digest());
    both.0.and(both.1).unwrap();
    outbox::drain(&app.vault().unwrap(), project).await.unwrap();
    let path = "/v1/vault/seals?kind=audit.digested";
    let listed: Value = app.get(path).key(app.key()).send().await.unwrap().expect(200).unwrap();
    let mut payloads = Vec::new();
    for seal in listed["data"].as_array().unwrap().iter().rev() {
        assert_eq!((&seal["actor"], &seal["verdict"]), (&json!("system"), &json!("SEAL")));
        payloads.push(seal["payload"].clone());
    }
    payloads
}

/// Digests an export, whose lines are newest first, as docs/vault.md describes.
fn of_export(export: &str, project: &str, sealed: &Value) -> (u64, String) {
    let (mut lines, mut count) = (String::new(), 0);
    for line in export.lines().rev() {
        let event: Value = serde_json::from_str(line).unwrap();
        let id = event["id"].as_str().unwrap();
        let after = sealed["after"].as_str().is_none_or(|after| id > after);
        if event["project"] == project && after && id <= sealed["through"].as_str().unwrap() {
            // The members of a `Value` are in the order of their names.
            lines += &format!("{event}\n");
            count += 1;
        }
    }
    (count, hex(&sha256(lines.as_bytes())))
}

#[tokio::test]
async fn an_export_of_the_audit_log_is_what_was_sealed_of_it() {
    let (app, clock) = start().await;
    let (token, organization) = owner(&app).await;
    app.agent("Ada").await.unwrap();
    assert!(digest(&app).await.is_empty(), "what may not be committed yet is left for later");
    clock.advance(Duration::from_secs(301));
    app.agent("Bob").await.unwrap();
    let first = digest(&app).await;
    assert_eq!((first.len(), &first[0]["after"]), (1, &Value::Null), "{first:?}");
    assert_eq!(digest(&app).await.len(), 1, "nothing new is no seal");

    clock.advance(Duration::from_secs(301));
    let jobs = || async {
        vault::digest_all(app.core()).await.unwrap();
        let sql = "SELECT count(*) FROM jobs WHERE kind = 'vault.digest_audit'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(app.core().db.pool()).await.unwrap()
    };
    assert_eq!(jobs().await, 1);
    let both = digest(&app).await;
    assert_eq!(both.len(), 2);
    assert_eq!(both[1]["after"], both[0]["through"]);
    assert_eq!(jobs().await, 1, "a project that has nothing new is left alone");

    let url = app.url().join(&format!("/v1/organizations/{organization}/audit-events/export")).unwrap();
    let export =
        reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap().text().await.unwrap();
    for sealed in &both {
        let (events, sha256) = of_export(&export, &app.project().to_string(), sealed);
        assert!(events >= 1);
        assert_eq!((json!(events), json!(sha256)), (sealed["events"].clone(), sealed["sha256"].clone()));
    }
    let body = json!({"kind": "audit.digested", "verdict": "SEAL", "payload": both[0]});
    let refused = app.post("/v1/vault/seals").key(app.key()).json(&body).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"), "nobody else says so");
}

#[tokio::test]
async fn whatever_is_changed_of_the_audit_log_is_found() {
    let (app, clock) = start().await;
    for name in ["Ada", "Bob", "Eve"] {
        app.agent(name).await.unwrap();
    }
    clock.advance(Duration::from_secs(301));
    digest(&app).await;
    clock.advance(Duration::from_secs(301));
    app.agent("Zoe").await.unwrap();
    clock.advance(Duration::from_secs(301));
    assert_eq!(digest(&app).await.len(), 2);

    let pool = app.core().db.pool();
    let vault = app.vault().unwrap();
    let second =
        "(SELECT id FROM audit_events WHERE action = 'agent.registered' ORDER BY id OFFSET 1 LIMIT 1)";
    sqlx::raw_sql("CREATE TABLE kept AS TABLE audit_events").execute(pool).await.unwrap();
    for (sql, wanted) in [
        (String::new(), ""),
        (format!("UPDATE audit_events SET actor = 'system' WHERE id = {second}"), "had 5, and has 5 there"),
        (
            format!("UPDATE audit_events SET at = at + interval '1 microsecond' WHERE id = {second}"),
            "has 5 there",
        ),
        (format!("DELETE FROM audit_events WHERE id = {second}"), "had 5, and has 4 there"),
        ("DELETE FROM audit_events".to_owned(), "had 5, and has 0 there"),
        (
            format!(
                "INSERT INTO audit_events (id, project_id, at, actor, action, subject, request_id) \
                 SELECT overlay(id::text placing '000000' from 31)::uuid, \
                        project_id, at, actor, action, subject, request_id \
                 FROM audit_events WHERE id = {second}"
            ),
            "had 5, and has 6 there",
        ),
        (
            "INSERT INTO audit_events (id, project_id, at, actor, action, subject, request_id) \
             SELECT uuidv7(interval '1 hour'), project_id, at, actor, action, subject, request_id \
             FROM audit_events LIMIT 1"
                .to_owned(),
            "",
        ),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(pool).await.unwrap();
        let report =
            fsck::check(&vault, LogId::from(app.project()), &Check::default(), |_, _| {}).await.unwrap();
        match report.summary() {
            Some(summary) => {
                assert!(!wanted.is_empty() && summary.contains(wanted), "{sql}: {summary}");
                assert!(summary.starts_with("the audit log is not as entry 0 has it"), "{summary}");
            }
            None => assert_eq!(wanted, "", "{sql}"),
        }
        sqlx::raw_sql("TRUNCATE audit_events; INSERT INTO audit_events TABLE kept")
            .execute(pool)
            .await
            .unwrap();
    }

    // To keep events from ever being digested, one would move the mark past them. Then the next
    // digest does not begin where the last one ended.
    app.agent("Una").await.unwrap();
    sqlx::query("UPDATE vault_progress SET audited_through = (SELECT max(id::text)::uuid FROM audit_events)")
        .execute(pool)
        .await
        .unwrap();
    clock.advance(Duration::from_secs(1));
    app.agent("Ida").await.unwrap();
    clock.advance(Duration::from_secs(301));
    assert_eq!(digest(&app).await.len(), 3);
    let report = fsck::check(&vault, LogId::from(app.project()), &Check::default(), |_, _| {}).await.unwrap();
    assert!(
        report.summary().unwrap().contains("does not digest the audit log from where"),
        "{:?}",
        report.findings
    );
}
