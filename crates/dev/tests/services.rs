//! The services that tests stand on: quick to have, breakable on purpose, and gone without a trace.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one measures"
)]

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User},
};
use sqlx::{Connection, PgConnection};
use testkit::{
    Services,
    services::{Options, shared},
};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_test_has_a_migrated_database_of_its_own() {
    let services = shared().await.unwrap();
    let first = services.postgres.database().await.unwrap();
    let started = Instant::now();
    let second = services.postgres.database().await.unwrap();
    println!("a database takes {} ms", started.elapsed().as_millis());

    let mut connection = PgConnection::connect(first.url()).await.unwrap();
    let own = "INSERT INTO organizations (id, name, created_at, updated_at) \
               VALUES (gen_random_uuid(), 'mine', now(), now())";
    sqlx::query(own).execute(&mut connection).await.unwrap();
    let mut other = PgConnection::connect(second.url()).await.unwrap();
    let strangers: i64 =
        sqlx::query_scalar("SELECT count(*) FROM organizations").fetch_one(&mut other).await.unwrap();
    assert_eq!(strangers, 0);
    let fits: f64 =
        sqlx::query_scalar("SELECT '[1,2]'::vector <-> '[1,3]'").fetch_one(&mut other).await.unwrap();
    assert_eq!(fits, 1.0);
}

#[tokio::test]
async fn a_dropped_database_is_gone_even_while_somebody_is_connected() {
    let services = shared().await.unwrap();
    let database = services.postgres.database().await.unwrap();
    let url = database.url().to_owned();
    let _connected = PgConnection::connect(&url).await.unwrap();
    drop(database);
    let deadline = Instant::now() + SOON;
    while PgConnection::connect(&url).await.is_ok() {
        assert!(Instant::now() < deadline, "the database is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn services_can_be_frozen_killed_flushed_and_started_again() {
    let services = Services::start(Options::testing()).await.unwrap();
    let (postgres, valkey, nats) = (&services.postgres, services.valkey().unwrap(), services.nats().unwrap());
    let database = postgres.database().await.unwrap();

    let client = redis::Client::open(valkey.url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("SET").arg("k").arg("v").query_async::<()>(&mut redis).await.unwrap();
    valkey.freeze().await.unwrap();
    let ping = redis::cmd("PING");
    let frozen = tokio::time::timeout(Duration::from_millis(200), ping.query_async::<()>(&mut redis));
    assert!(frozen.await.is_err(), "a frozen Valkey answered");
    valkey.thaw().await.unwrap();
    valkey.flush().await.unwrap();
    let kept: Option<String> = redis::cmd("GET").arg("k").query_async(&mut redis).await.unwrap();
    assert_eq!(kept, None);

    let mut connected = PgConnection::connect(database.url()).await.unwrap();
    postgres.freeze().await.unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(200), connected.ping());
    assert!(asked.await.is_err(), "a frozen Postgres answered on an open connection");
    let knocked = tokio::time::timeout(Duration::from_millis(200), PgConnection::connect(database.url()));
    assert!(knocked.await.is_err(), "a frozen Postgres took a new connection");
    // It is killed while frozen, and recovers from the crash on the same port.
    postgres.kill().await.unwrap();
    postgres.start().await.unwrap();
    PgConnection::connect(database.url()).await.unwrap().ping().await.unwrap();
    postgres.stop().await.unwrap();
    postgres.start().await.unwrap();
    PgConnection::connect(database.url()).await.unwrap().ping().await.unwrap();

    nats.kill().await.unwrap();
    assert!(async_nats::connect(nats.url()).await.is_err());
    nats.start().await.unwrap();
    nats.flush().await.unwrap();
    async_nats::connect(nats.url()).await.unwrap();

    // It is still frozen at the end, which must thaw it, or it would stay forever.
    postgres.freeze().await.unwrap();
    let pids = pids(&services).await;
    drop(services);
    assert_gone(&pids, "dropped");
}

#[test]
fn nothing_outlives_a_parent_that_is_killed() {
    let (parent, pids) = cargo_dev_services(None);
    kill(Pid::from_raw(parent.id().cast_signed()), Signal::SIGKILL).unwrap();
    reap(parent);
    assert_gone(&pids, "killed");
}

#[test]
fn ctrl_c_ends_the_services_and_is_a_success() {
    let (parent, pids) = cargo_dev_services(None);
    kill(Pid::from_raw(parent.id().cast_signed()), Signal::SIGINT).unwrap();
    assert!(reap(parent).success());
    assert_gone(&pids, "interrupted");
}

#[test]
fn root_and_others_can_run_them() {
    // The tests above run as the present user; this one runs as another user, which only root can
    // become.
    let nobody = User::from_name("nobody").unwrap().filter(|_| Uid::effective().is_root());
    if let Some(nobody) = nobody.filter(|_| anybody_may_run(Path::new(env!("CARGO_BIN_EXE_dev")))) {
        let (parent, pids) = cargo_dev_services(Some(nobody));
        kill(Pid::from_raw(parent.id().cast_signed()), Signal::SIGTERM).unwrap();
        assert!(reap(parent).success());
        assert_gone(&pids, "terminated");
    }
}

fn anybody_may_run(program: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    program.ancestors().all(|path| path.metadata().is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}

async fn pids(services: &Services) -> Vec<i32> {
    let mut pids = Vec::new();
    for service in services.all() {
        pids.extend(service.pid().await);
    }
    pids
}

/// Runs `cargo dev services` until it is ready. Returns it and the ids of all processes below it.
fn cargo_dev_services(user: Option<User>) -> (Child, Vec<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
    command.arg("services").stdout(Stdio::piped());
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).env("HOLDFAST_CACHE", "/var/cache/holdfast");
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let exports: Vec<_> = lines.take(3).map(Result::unwrap).collect();
    assert!(exports[0].starts_with("export DATABASE_URL=postgres://"), "{exports:?}");
    assert!(exports[2].starts_with("export NATS_URL=nats://"), "{exports:?}");
    let pids = descendants(child.id().cast_signed());
    assert!(pids.len() >= 9, "three services, each with its shell and watch: {pids:?}");
    (child, pids)
}

fn descendants(root: i32) -> Vec<i32> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().unwrap().stdout;
    let table: Vec<(i32, i32)> = String::from_utf8(listed)
        .unwrap()
        .lines()
        .filter_map(|line| line.trim().split_once(char::is_whitespace))
        .map(|(pid, parent)| (pid.parse().unwrap(), parent.trim().parse().unwrap()))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(table.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found.split_off(1)
}

fn reap(mut child: Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "cargo dev does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn assert_gone(pids: &[i32], how: &str) {
    let deadline = Instant::now() + SOON;
    loop {
        let left: Vec<_> = pids.iter().filter(|pid| kill(Pid::from_raw(**pid), None).is_ok()).collect();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "the parent was {how}, and these processes stayed: {left:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
