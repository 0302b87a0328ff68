//! The binary itself: its commands, its logs, its end.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStderr, Command},
};

use crate::harness::{pairs, unknown_api_key};

fn program(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(arguments).env_clear().envs(pairs(&[variables])).kill_on_drop(true).stdin(Stdio::null());
    command
}

async fn output(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, String, String) {
    let output = tokio::time::timeout(Duration::from_secs(60), program(arguments, variables).output())
        .await
        .unwrap()
        .unwrap();
    let (told, complained) = (
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    );
    (output, told, complained)
}

/// Starts a server that logs JSON. Returns it with its log and its port.
async fn serving(variables: &[(&str, &str)]) -> (Child, Lines<BufReader<ChildStderr>>, String) {
    // For the requests of these tests; the first test does it for all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fixed = [("PORT", "0"), ("LOG_FORMAT", "json"), ("RATE_LIMIT_PER_MINUTE", "0")];
    let mut child = program(&[], &[&fixed, variables].concat()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let port = loop {
        let line: Value =
            serde_json::from_str(&lines.next_line().await.unwrap().expect("the server ended")).unwrap();
        if line["message"] == "listening" {
            break line["address"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        }
    };
    (child, lines, format!("http://127.0.0.1:{port}"))
}

#[tokio::test]
async fn a_wrong_value_stops_the_start_with_one_line() {
    for (variables, wanted) in [
        (&[][..], "api: DATABASE_URL is not set; it wants: Postgres"),
        (&[("DATABASE_URL", "postgres://a:hunter2@h/d"), ("PORT", "x")][..], "api: PORT held \"x\""),
        (
            &[("DATABASE_URL", "postgres://a:hunter2@h/d"), ("RUST_LOG", "info,,=nonsense")][..],
            "api: RUST_LOG held",
        ),
        (
            &[("DATABASE_URL", "postgres://a:hunter2@h/d"), ("SENTRY_DSN", "hunter2")][..],
            "api: SENTRY_DSN held ***",
        ),
        (
            &[
                ("DATABASE_URL", "postgres://a:hunter2@db.example.com/d"),
                ("ENVIRONMENT", "production"),
                ("REQUIRE_PRIVATE_NETWORK", "true"),
            ][..],
            "api: DATABASE_URL",
        ),
    ] {
        let (output, told, complained) = output(&[], variables).await;
        assert_eq!(output.status.code(), Some(1), "{complained}");
        assert_eq!(told, "");
        let complaints: Vec<&str> = complained.lines().filter(|line| line.starts_with("api: ")).collect();
        assert!(
            matches!(complaints[..], [line] if line.starts_with(wanted)),
            "{wanted:?} is not {complained:?}"
        );
        assert!(!complained.contains("hunter2") && !complained.contains("backtrace"), "{complained}");
    }
}

#[tokio::test]
async fn the_document_can_be_printed_without_a_configuration() {
    let (output, told, _) = output(&["openapi"], &[]).await;
    assert!(output.status.success());
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), serde_json::to_value(api::document()).unwrap());
}

#[tokio::test]
async fn a_webhook_key_can_be_made() {
    let keys = [output(&["keygen", "webhook"], &[]).await.1, output(&["keygen", "webhook"], &[]).await.1];
    assert!(
        keys.iter().all(
            |key| key.starts_with("whsk_") && key.trim().parse::<adapters::webhook::WebhookKey>().is_ok()
        ),
        "{keys:?}"
    );
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn help_explains_every_variable() {
    let (_, told, _) = output(&["--help"], &[]).await;
    for variable in ["PORT", "DATABASE_URL", "METRICS_ADDR", "TRUSTED_PROXY_DEPTH"] {
        assert!(told.contains(&format!("  {variable}\n      ")), "{variable} in {told}");
    }
}

#[tokio::test]
async fn sigterm_ends_it_in_order() {
    let (mut child, mut lines, url) =
        serving(&[("DATABASE_URL", "postgres://a:hunter2@127.0.0.1:1/d")]).await;
    let live = reqwest::get(format!("{url}/version")).await.unwrap();
    assert_eq!(live.status(), 200);
    let id = live.headers()["x-request-id"].to_str().unwrap().to_owned();
    drop(live);
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));

    let mut answered = None;
    while let Some(line) = lines.next_line().await.unwrap() {
        assert!(!line.contains("hunter2"), "{line}");
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if line["message"] == "answered" {
            answered = Some(line);
        }
    }
    let answered = answered.unwrap();
    assert_eq!(
        (&answered["status"], answered["span"]["request_id"].as_str()),
        (&200.into(), Some(id.as_str()))
    );
}

#[tokio::test]
async fn migrate_brings_an_empty_database_up_to_date_however_many_run_at_once() {
    let postgres = &testkit::services::shared().await.unwrap().postgres;
    let url = postgres.create_database("empty_for_migrate").await.unwrap();
    let variables = [("DATABASE_URL", url.as_str())];
    let (behind, told, _) = output(&["migrate", "--check"], &variables).await;
    assert_eq!(behind.status.code(), Some(1), "{told}");

    let replicas = futures::future::join_all((0..3).map(|_| output(&["migrate"], &variables))).await;
    for (replica, told, complained) in replicas {
        assert!(replica.status.success(), "{told}{complained}");
    }
    let (current, told, _) = output(&["migrate", "--check"], &variables).await;
    assert!(current.status.success(), "{told}");

    let (made, told, complained) = output(&["bootstrap", "--name", "Acme"], &variables).await;
    assert!(
        made.status.success() && told.contains("prj_") && told.contains("hf_development_"),
        "{told}{complained}"
    );
    let project = told.split_whitespace().find(|word| word.starts_with("prj_")).unwrap();
    let (refused, _, said) =
        output(&["adopt", "--project", project, "--email", "ada@example.com"], &variables).await;
    assert!(
        refused.status.code() == Some(1) && said.contains("no account of ada@example.com; sign up"),
        "{said}"
    );
}

/// An operator with a Postgres without pgvector, or with a role that may not create it, gets one
/// line about it, and nothing was changed.
#[tokio::test]
async fn a_database_that_cannot_have_the_extensions_is_told_by_name() {
    let postgres = &testkit::services::shared().await.unwrap().postgres;
    let url = postgres.create_database("without_vector").await.unwrap();
    let owner: PgConnectOptions = url.parse().unwrap();
    let mut connection = PgConnection::connect_with(&owner).await.unwrap();
    for statement in [
        "CREATE ROLE modest LOGIN PASSWORD 'modest' CREATEROLE",
        "GRANT ALL ON DATABASE without_vector TO modest",
        "GRANT ALL ON SCHEMA public TO modest",
    ] {
        connection.execute(statement).await.unwrap();
    }
    let modest = owner.clone().username("modest").password("modest").to_url_lossy().to_string();
    let told = async |url: &str, wants: &[&str]| {
        let (ended, _, said) = output(&["migrate"], &[("DATABASE_URL", url), ("RUST_BACKTRACE", "1")]).await;
        assert_eq!((ended.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(wants.iter().all(|wanted| said.contains(wanted)), "{said}");
    };
    told(&modest, &["\"vector\"", "superuser", "CREATE EXTENSION vector"]).await;
    // This is the place where extensions are looked for; elsewhere there are none.
    connection
        .execute("ALTER DATABASE without_vector SET extension_control_path = '/nowhere'")
        .await
        .unwrap();
    told(&url, &["\"vector\"", "Railway", "pgvector template"]).await;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn on_an_older_schema_it_serves_nothing_until_it_is_migrated() {
    let postgres = &testkit::services::shared().await.unwrap().postgres;
    let url = postgres.create_database("empty_for_serve").await.unwrap();
    let (_child, _lines, api) = serving(&[("DATABASE_URL", url.as_str())]).await;
    let http = reqwest::Client::new();
    let listed =
        async || http.get(format!("{api}/v1/agents")).bearer_auth(unknown_api_key()).send().await.unwrap();
    let refused = listed().await;
    assert_eq!(refused.status(), 503);
    assert!(refused.text().await.unwrap().contains("api migrate"));
    assert_eq!(reqwest::get(format!("{api}/health/ready")).await.unwrap().status(), 503);

    assert!(output(&["migrate"], &[("DATABASE_URL", url.as_str())]).await.0.status.success());
    for _ in 0..200 {
        if reqwest::get(format!("{api}/health/ready")).await.unwrap().status() == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(listed().await.status(), 401);
}

/// Takes one envelope, as Sentry does.
async fn envelope(sink: TcpListener) -> String {
    let (mut stream, _) = sink.accept().await.unwrap();
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        received.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&received).into_owned();
        let length = text.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse::<usize>().ok()
        });
        let whole =
            text.split_once("\r\n\r\n").zip(length).is_some_and(|((_, body), length)| body.len() >= length);
        if whole || read == 0 {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
            return text;
        }
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_reported_without_secrets() {
    let sink = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dsn = format!("http://public@127.0.0.1:{}/7", sink.local_addr().unwrap().port());
    let database = testkit::services::shared().await.unwrap().postgres.database().await.unwrap();
    let (_child, _lines, api) =
        serving(&[("DATABASE_URL", database.url()), ("SENTRY_DSN", &dsn), ("ENVIRONMENT", "staging")]).await;
    let key = unknown_api_key();
    let listed = async || {
        reqwest::Client::new().get(format!("{api}/v1/agents")).bearer_auth(&key).send().await.unwrap()
    };
    for _ in 0..200 {
        if listed().await.status() == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // An internal error: the table of API keys is gone.
    let broken = database.db(1).unwrap();
    sqlx::query("ALTER TABLE api_keys RENAME TO api_keys_gone").execute(broken.pool()).await.unwrap();
    let failed = listed().await;
    assert_eq!(failed.status(), 500);
    let id = failed.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem = failed.text().await.unwrap();
    assert!(problem.contains("\"internal\"") && !problem.contains("api_keys"), "{problem}");

    let reported = tokio::time::timeout(Duration::from_secs(20), envelope(sink)).await.unwrap();
    assert!(reported.starts_with("POST /api/7/envelope/"), "{reported}");
    for expected in ["\"environment\":\"staging\"", "api_keys", &id] {
        assert!(reported.contains(expected), "{expected} in {reported}");
    }
    assert!(!reported.contains(&key) && !reported.to_lowercase().contains("bearer "), "{reported}");
}

#[tokio::test]
async fn metrics_name_routes_and_not_what_clients_make_up() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let (_child, _lines, api) =
        serving(&[("DATABASE_URL", "postgres://127.0.0.1:1/d"), ("METRICS_ADDR", &free)]).await;
    let http = reqwest::Client::new();
    for path in ["/health/ready", "/made-up-1", "/v1/agents/did:key:made-up-2"] {
        http.get(format!("{api}{path}")).send().await.unwrap();
    }
    http.request("MADEUP3".parse().unwrap(), format!("{api}/version")).send().await.unwrap();

    let metrics = http.get(format!("http://{free}/metrics")).send().await.unwrap().text().await.unwrap();
    for expected in [
        "# TYPE http_request_duration_seconds histogram",
        "# HELP http_request_duration_seconds",
        "route=\"/health/ready\"",
        "route=\"/v1/agents/{agent}\"",
        "method=\"other\"",
        "app=\"holdfast\"",
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    assert!(!metrics.to_lowercase().contains("made"), "{metrics}");
    // The public port does not serve them.
    assert_eq!(http.get(format!("{api}/metrics")).send().await.unwrap().status(), 404);
}
