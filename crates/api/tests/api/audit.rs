//! The audit log: complete, append-only, and readable by those whom it concerns.

use std::collections::HashSet;

use dev::TestApp;
use kernel::{DbScope, caller::Role, crypto::sha256, ids::OrganizationId};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use testkit::Identity;

/// Returns the owner's access token, and the organization of the first project.
pub async fn owner(app: &TestApp) -> (String, OrganizationId) {
    let (user, token) = app.person("owner@example.com").await.unwrap();
    (token, app.join(user, Role::Owner).await.unwrap())
}

/// Adds as many events as a busy year has: past HTTP, in one statement.
async fn many_events(app: &TestApp, organization: OrganizationId, count: i32) {
    sqlx::query(
        "INSERT INTO audit_events (id, at, actor, action, subject, organization_id, request_id) \
         SELECT uuidv7(make_interval(mins => -n)), now() - make_interval(mins => n), \
                'system', 'test.counted', n::text, $1, 'none' \
         FROM generate_series(1, $2) n",
    )
    .bind(organization)
    .bind(count)
    .execute(app.core().db.pool())
    .await
    .unwrap();
}

async fn page(app: &TestApp, token: &str, path: &str) -> Value {
    app.get(path).key(token).send().await.unwrap().expect(200).unwrap()
}

fn texts(page: &Value, field: &str) -> Vec<String> {
    let events = page["data"].as_array().unwrap().iter();
    events.map(|event| event[field].as_str().unwrap_or("null").to_owned()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn owners_see_who_did_what_from_where_and_others_do_not() {
    let app = TestApp::start().await.unwrap();
    let (token, organization) = owner(&app).await;
    let events = format!("/v1/organizations/{organization}/audit-events");
    let ada = app.agent("Ada").await.unwrap();
    let bob = Identity::generate();
    let body = json!({ "did": bob.did(), "public_key": bob.public_key(), "name": "Bob" });
    let named = app
        .post("/v1/agents")
        .key(app.key())
        .header("user-agent", "curl/8")
        .header("x-request-id", "the-one-of-bob");
    named.json(&body).sign(&bob).send().await.unwrap().expect::<Value>(201).unwrap();

    let log = page(&app, &token, &events).await;
    let latest = &log["data"][0];
    assert_eq!(
        (latest["action"].as_str(), latest["user_agent"].as_str()),
        (Some("agent.registered"), Some("curl/8"))
    );
    assert_eq!(
        (latest["request_id"].as_str(), latest["address"].as_str()),
        (Some("the-one-of-bob"), Some("127.0.0.1"))
    );
    assert!(latest["actor"].as_str().unwrap().starts_with("key_"), "{latest}");
    assert_eq!(latest["project"], json!(app.project().to_string()));

    for role in [Role::Admin, Role::Developer, Role::ReadOnly] {
        let (user, lesser) = app.person(&format!("{role}@example.com")).await.unwrap();
        app.join(user, role).await.unwrap();
        for path in [events.clone(), format!("{events}/export")] {
            let refused = app.get(&path).key(&lesser).send().await.unwrap();
            assert_eq!((refused.status, refused.code().as_str()), (403, "permission_missing"), "{role}");
        }
    }
    let (_, stranger) = app.person("stranger@example.com").await.unwrap();
    for path in [events.clone(), format!("{events}/export")] {
        assert_eq!(app.get(&path).key(&stranger).send().await.unwrap().code(), "not_found");
        assert_eq!(app.get(&path).key(app.key()).send().await.unwrap().code(), "forbidden");
        assert_eq!(app.get(&path).sign(&ada).send().await.unwrap().status, 401);
    }
}

#[tokio::test]
async fn events_are_sought_and_paged() {
    let app = TestApp::start().await.unwrap();
    let (token, organization) = owner(&app).await;
    let events = format!("/v1/organizations/{organization}/audit-events");
    many_events(&app, organization, 25).await;
    app.agent("Ada").await.unwrap();

    let mut seen = Vec::new();
    let mut path = format!("{events}?action=test.counted&actor=system&limit=10");
    loop {
        let reply = app.get(&path).key(&token).send().await.unwrap();
        let found: Value = reply.expect(200).unwrap();
        seen.extend(texts(&found, "subject"));
        let Some(next) =
            reply.header("link").strip_prefix('<').and_then(|link| link.split_once(">; rel=\"next\""))
        else {
            break;
        };
        assert!(
            next.0.contains("action=test.counted") && next.0.contains("limit=10"),
            "the link asks for the same"
        );
        path = next.0.to_owned();
    }
    assert_eq!(
        seen,
        (1..=25).map(|number| number.to_string()).collect::<Vec<_>>(),
        "newest first, each once"
    );

    let at = |minutes| {
        (kernel::Clock::system().now() - chrono::TimeDelta::minutes(minutes))
            .to_rfc3339()
            .replace("+00:00", "Z")
    };
    // Between the two: 10 minutes ago is in, 5 minutes ago is out.
    let range = format!("{events}?from={}&to={}&action=test.counted", at(10), at(5));
    assert_eq!(texts(&page(&app, &token, &range).await, "subject"), ["5", "6", "7", "8", "9"]);
    let one = page(&app, &token, &format!("{events}?subject=7")).await;
    assert_eq!(texts(&one, "subject"), ["7"]);
    let by_key = page(&app, &token, &format!("{events}?action=agent.registered")).await;
    let actor = by_key["data"][0]["actor"].as_str().unwrap().to_owned();
    assert_eq!(
        page(&app, &token, &format!("{events}?actor={actor}")).await["data"].as_array().unwrap().len(),
        1
    );

    for (query, code) in [
        ("actor=", "too_short"),
        ("action=%00", "nul_byte"),
        ("from=yesterday", "wrong_type"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "out_of_range"),
        ("who=me", "unknown_field"),
        ("limit=0", "out_of_range"),
        ("cursor=x", "invalid_cursor"),
    ] {
        let refused = app.get(&format!("{events}?{query}")).key(&token).send().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (422, code), "{query}");
    }
}

#[tokio::test]
async fn an_export_has_every_event_and_holds_no_transaction_while_it_is_read_slowly() {
    let app = TestApp::start().await.unwrap();
    let (token, organization) = owner(&app).await;
    many_events(&app, organization, 30_000).await;
    let path = format!("/v1/organizations/{organization}/audit-events/export?action=test.counted");
    let url = app.url().join(&path).unwrap();
    let mut answer = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains(&organization.to_string()));

    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    // The reader rests while others continue to write: later events are not in the export.
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND state = 'idle in transaction' AND query LIKE '%audit_events%'";
    let mut tries = 0;
    while sqlx::query_scalar::<_, i64>(open).fetch_one(app.core().db.pool()).await.unwrap() > 0 {
        // Batches are read ahead until the connection is full. A transaction that waited for the
        // reader would stay open.
        tries += 1;
        assert!(tries < 100, "a transaction is held open");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    sqlx::query(
        "INSERT INTO audit_events (id, at, actor, action, subject, organization_id, request_id) \
         VALUES (uuidv7(), now(), 'system', 'test.counted', 'late', $1, 'none')",
    )
    .bind(organization)
    .execute(app.core().db.pool())
    .await
    .unwrap();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.extend(chunk);
    }
    let lines = text.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
    let events: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let subjects: HashSet<&str> = events.iter().map(|event| event["subject"].as_str().unwrap()).collect();
    assert_eq!((events.len(), subjects.len()), (30_000, 30_000));
    let listed =
        page(&app, &token, &format!("/v1/organizations/{organization}/audit-events?subject=17")).await;
    assert_eq!(events[16], listed["data"][0], "a line is what the list shows");
    let exported =
        page(&app, &token, &format!("/v1/organizations/{organization}/audit-events?action=audit.exported"))
            .await;
    assert_eq!(exported["data"].as_array().unwrap().len(), 1, "that it was exported is an event as well");
}

#[tokio::test]
async fn an_export_that_cannot_be_finished_does_not_look_whole() {
    let app = TestApp::start().await.unwrap();
    let (token, organization) = owner(&app).await;
    many_events(&app, organization, 30_000).await;
    let url = app.url().join(&format!("/v1/organizations/{organization}/audit-events/export")).unwrap();
    let mut answer = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    sqlx::query("UPDATE memberships SET role = 'admin'").execute(app.core().db.pool()).await.unwrap();
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken, "whoever is no owner any more gets no more of it");
}

#[tokio::test]
async fn an_organisation_is_exported_so_often_a_minute() {
    let options =
        dev::AppOptions { variables: vec![("RATE_LIMIT_PER_MINUTE", "50".to_owned())], ..Default::default() };
    let app = TestApp::start_with(options).await.unwrap();
    let (token, organization) = owner(&app).await;
    let export =
        || app.get(&format!("/v1/organizations/{organization}/audit-events/export")).key(&token).send();
    for _ in 0..10 {
        assert_eq!(export().await.unwrap().status, 200);
    }
    let refused = export().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert!(!refused.header("retry-after").is_empty());
}

/// Exports hold rows in memory while they are read: so many are under way at once.
#[tokio::test]
async fn exports_under_way_are_few() {
    let app = TestApp::start().await.unwrap();
    let (token, organization) = owner(&app).await;
    many_events(&app, organization, 30_000).await;
    let export = || app.get(&format!("/v1/organizations/{organization}/audit-events/export")).key(&token);
    let url = app.url().join(&format!("/v1/organizations/{organization}/audit-events/export")).unwrap();
    let mut unread = Vec::new();
    for _ in 0..16 {
        let answer = reqwest::Client::new().get(url.clone()).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        unread.push(answer);
    }
    let refused = export().send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"));
    assert!(!refused.header("retry-after").is_empty());
    drop(unread);
    for _ in 0..100 {
        if export().send().await.unwrap().status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the places of exports that nobody reads any more are not given back");
}

#[tokio::test]
async fn people_see_what_concerns_their_account_and_nothing_else() {
    let app = TestApp::start().await.unwrap();
    let (token, _) = owner(&app).await;
    let (user, theirs) = app.person("somebody@example.com").await.unwrap();
    sqlx::query(
        "INSERT INTO audit_events (id, at, actor, action, subject, user_id, request_id) \
         VALUES (uuidv7(), now(), 'anonymous', 'session.refused', $2, $1, 'none')",
    )
    .bind(user)
    .bind(user.to_string())
    .execute(app.core().db.pool())
    .await
    .unwrap();
    let mine = page(&app, &theirs, "/v1/me/audit-events").await;
    assert_eq!(texts(&mine, "action"), ["session.refused"]);
    let owners = page(&app, &token, "/v1/me/audit-events").await;
    assert!(texts(&owners, "action").iter().all(|action| action != "session.refused"));
}

/// The digests are over the answer of a `GET`, so a copy of it can be compared with the log.
#[tokio::test]
async fn a_change_is_told_by_the_digests_of_what_was_and_what_is() {
    let app = TestApp::start().await.unwrap();
    let (token, organization) = owner(&app).await;
    let ada = app.agent("Ada").await.unwrap();
    let get = async || app.get(&format!("/v1/agents/{}", ada.did())).key(app.key()).send().await.unwrap();
    let before = get().await;
    assert_eq!(before.header("etag"), "\"v1\"");
    let body = json!({ "did": ada.did(), "public_key": ada.public_key(), "name": "Ada the second" });
    app.post("/v1/agents")
        .key(app.key())
        .json(&body)
        .sign(&ada)
        .send()
        .await
        .unwrap()
        .expect::<Value>(200)
        .unwrap();
    let after = get().await;
    assert_eq!(after.header("etag"), "\"v2\"");
    assert_eq!(
        app.delete(&format!("/v1/agents/{}", ada.did())).key(app.key()).send().await.unwrap().status,
        204
    );

    let log = page(&app, &token, &format!("/v1/organizations/{organization}/audit-events?limit=3")).await;
    assert_eq!(texts(&log, "action"), ["agent.removed", "agent.updated", "agent.registered"]);
    let (old, new) = (hex(&sha256(&before.body)), hex(&sha256(&after.body)));
    assert_eq!(texts(&log, "before_sha256"), [new.as_str(), &old, "null"]);
    assert_eq!(texts(&log, "after_sha256"), ["null", &new, &old]);
}

#[tokio::test]
async fn nobody_can_change_the_log() {
    let app = TestApp::start().await.unwrap();
    let (user, _) = app.person("owner@example.com").await.unwrap();
    let organization = app.join(user, Role::Owner).await.unwrap();
    app.agent("Ada").await.unwrap();
    let scopes = [
        DbScope::Project(app.project()),
        DbScope::Member(user, organization),
        DbScope::Person(user),
        DbScope::PreAuth,
        DbScope::Job(app.project()),
        DbScope::Worker,
    ];
    for scope in scopes {
        for sql in
            ["UPDATE audit_events SET actor = 'nobody'", "DELETE FROM audit_events", "TRUNCATE audit_events"]
        {
            let mut tx = app.core().db.begin(scope).await.unwrap();
            let refused = sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap_err();
            assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{scope:?}: {sql}");
        }
    }
}
