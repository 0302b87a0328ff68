//! The binary itself: its signals, its health, its error messages.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use kernel::{DbScope, caller::Caller, queue::lease};
use testkit::{TestDatabase, test_core};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use crate::support::{Act, Foreign, eventually, within};

struct Process {
    child: Child,
    port: u16,
}

impl Process {
    async fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[]).await
    }

    async fn start_with(database_url: &str, more: &[(&str, &str)]) -> Self {
        let port = free_port().await;
        let child = command()
            .env("DATABASE_URL", database_url)
            .envs(dev::keys::keys())
            .env("PORT", port.to_string())
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    async fn health(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split("\r\n\r\n").nth(1)?.to_owned()))
    }

    async fn reaches(&self, status: u16, phase: &str) {
        eventually(&format!("/health/ready says {status}, {phase}"), || async {
            self.health("/health/ready").await.is_some_and(|(is, body)| is == status && body.contains(phase))
        })
        .await;
    }

    async fn signal(&mut self, signal: &str) -> ExitStatus {
        let pid = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
        within("it ends", self.child.wait()).await.unwrap()
    }
}

/// Returns a command whose environment holds only what a test gives it; dropping it kills the
/// process.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command.env_clear().kill_on_drop(true);
    command
}

async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

async fn database() -> TestDatabase {
    testkit::services::shared().await.unwrap().postgres.database().await.unwrap()
}

#[tokio::test]
async fn sigterm_ends_it_well_and_gives_the_lease_up() {
    let database = database().await;
    let mut worker = Process::start(database.url()).await;
    worker.reaches(200, "working").await;
    assert_eq!(worker.health("/health/live").await.unwrap().0, 200);
    assert!(worker.signal("-TERM").await.success());
    let db = database.db(1).unwrap();
    assert!(lease::acquire(&db, "the test", Duration::from_secs(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_standby_is_ready_and_takes_over_from_a_killed_worker() {
    let database = database().await;
    let mut first = Process::start(database.url()).await;
    first.reaches(200, "working").await;
    let mut second = Process::start(database.url()).await;
    second.reaches(200, "standing_by").await;
    first.signal("-KILL").await;
    second.reaches(200, "working").await;
    assert!(second.signal("-INT").await.success());
}

#[tokio::test]
async fn a_failed_job_is_reported_to_sentry() {
    let database = database().await;
    let sink = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let dsn = format!("http://key@{}/1", sink.local_addr().unwrap());
    let db = database.db(1).unwrap();
    let job = Foreign::new("job", Act::Succeed);
    let worker = Caller::system(DbScope::Worker);
    test_core(db).write(worker, async |unit| unit.enqueue(&job)).await.unwrap();

    let mut worker = Process::start_with(database.url(), &[("SENTRY_DSN", &dsn)]).await;
    let report = within("a report arrives", async {
        let (mut stream, _) = sink.accept().await.unwrap();
        let mut report = Vec::new();
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&report).contains("\"job.kind\":\"test.foreign\"") {
            let read = stream.read(&mut part).await.unwrap();
            assert!(read > 0, "it ended early: {}", String::from_utf8_lossy(&report));
            report.extend_from_slice(&part[..read]);
        }
        String::from_utf8_lossy(&report).into_owned()
    })
    .await;
    assert!(report.contains("this worker knows no job of kind `test.foreign`"), "{report}");
    worker.signal("-TERM").await;
}

#[tokio::test]
async fn without_postgres_it_waits_and_says_so() {
    let mut worker =
        Process::start(&format!("postgres://nobody@127.0.0.1:{}/nothing", free_port().await)).await;
    worker.reaches(503, "without_database").await;
    assert_eq!(worker.health("/health/live").await.unwrap().0, 200);
    assert!(worker.signal("-TERM").await.success());
}

#[tokio::test]
async fn a_wrong_variable_stops_the_start_in_one_line() {
    let url = "postgres://user:secret@127.0.0.1/holdfast";
    for (name, value, said) in [
        ("WORKER_CONCURRENCY", "many", "worker: WORKER_CONCURRENCY held \"many\""),
        ("DATABASE_URL", "mysql://user:secret@host/db", "worker: DATABASE_URL held mysql://host"),
    ] {
        let run = command().env("DATABASE_URL", url).envs(dev::keys::keys()).env(name, value).output();
        let output = within("it ends", run).await.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(text.starts_with(said), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}
