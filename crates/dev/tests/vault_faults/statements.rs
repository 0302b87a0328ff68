//! Every statement of a batch fails, or fails although it was done: the connection to Postgres is
//! cut there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use dev::{AppOptions, TestApp};
use kernel::{
    Clock, Code, Db, DbScope,
    caller::{Caller, Role},
};
use serde_json::{Value, json};
use testkit::{
    Client, PgFault,
    client::Reply,
    pg_fault::{Cut, Fault},
    services,
};
use vault::{
    self, Verdict,
    jobs::ExpireProposal,
    outbox::{self, OutboxSeal},
};

use crate::{
    check::sound,
    writers::{Crew, all},
};

const WRITERS: usize = 200;
const BEGIN: &str = "SET LOCAL app.project_id";
const LOCK: &str = "vault_lock()";
const ENTRIES: &str = "INSERT INTO vault_entries";
const TILES: &str = "INSERT INTO vault_tiles";
const ANSWERS: &str = "INSERT INTO idempotent_requests";
const NONCES: &str = "INSERT INTO signature_nonces";

/// Starts an API whose connection to Postgres can be broken.
async fn app() -> (TestApp, Arc<PgFault>) {
    let way = Arc::new(PgFault::before(services::shared().await.unwrap().postgres.port()).await.unwrap());
    let options = AppOptions { worker: false, through: Some(Arc::clone(&way)), ..AppOptions::default() };
    (TestApp::start_with(options).await.unwrap(), way)
}

fn statement(statement: &'static str, cut: Cut, every: usize) -> Fault {
    Fault { statement, within: None, cut, every }
}

/// Returns a fault of the commits that end a batch, and not of those that only read.
fn commit(cut: Cut, every: usize) -> Fault {
    Fault { statement: "COMMIT", within: Some(ENTRIES), cut, every }
}

fn seal(id: &str) -> Value {
    json!({"kind": "fault", "verdict": "SEAL", "payload": {"id": id}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_replicas_and_200_writers_while_each_statement_of_the_batch_fails() {
    let (mut app, way) = app().await;
    let replicas =
        vec![app.client().clone(), app.another_api().await.unwrap(), app.another_api().await.unwrap()];
    let agent = app.agent("writer").await.unwrap();
    let crew = Crew { replicas, key: app.key().to_owned(), agent, over: Arc::new(AtomicBool::new(false)) };
    way.arm(&[
        statement(BEGIN, Cut::Before, 43),
        statement(BEGIN, Cut::After, 41),
        statement(NONCES, Cut::Before, 37),
        statement(NONCES, Cut::After, 31),
        statement(LOCK, Cut::Before, 29),
        statement(LOCK, Cut::After, 23),
        statement(ENTRIES, Cut::Before, 19),
        statement(ENTRIES, Cut::After, 17),
        statement(TILES, Cut::Before, 3),
        statement(TILES, Cut::After, 2),
        statement(ANSWERS, Cut::Before, 19),
        statement(ANSWERS, Cut::After, 17),
        commit(Cut::Before, 11),
        commit(Cut::During, 7),
        commit(Cut::After, 5),
    ]);
    let writers = crew.start(WRITERS, 5);
    let (start, deadline) = (Instant::now(), Duration::from_secs(30));
    while way.struck().iter().any(|(_, struck)| *struck < 2) && start.elapsed() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    crew.over.store(true, Ordering::SeqCst);
    let done = all(writers).await;
    let struck = way.struck();
    way.disarm();
    let tries: usize = done.iter().map(|done| done.tries).sum();
    println!("{} seals in {tries} tries and {:?}; struck: {struck:?}", done.len(), start.elapsed());
    assert!(struck.iter().all(|(_, struck)| *struck >= 2), "not each fault struck: {struck:?}");

    let log = sound(app.database().url(), app.client(), app.key()).await;
    log.holds(&done);
    for replica in &crew.replicas {
        made(replica, &app, "after").await;
    }
    let after = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!(after.size(), log.size() + 3);
    app.stop().await.unwrap();
}

/// The answer to a COMMIT is lost every time, and each time the commit is found out.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_acknowledged() {
    let (app, way) = app().await;
    for cut in [Cut::After, Cut::During] {
        way.arm(&[commit(cut, 1)]);
        for n in 0..8 {
            made(app.client(), &app, &format!("{cut:?} {n}")).await;
        }
        assert_eq!(way.struck()[0].1, 8);
    }
    way.arm(&[commit(Cut::Before, 1)]);
    for n in 0..3 {
        assert_eq!(post(app.client(), &app, &format!("never {n}")).await.code(), "unavailable");
    }
    assert_eq!(way.struck()[0].1, 3);
    way.disarm();
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!(log.size(), 16);
    app.stop().await.unwrap();
}

/// Postgres is slow with a COMMIT whose connection is gone: the API waits for it, but not forever.
#[tokio::test]
async fn a_commit_that_goes_on_after_its_connection_is_waited_for() {
    let (app, way) = app().await;
    made(app.client(), &app, "first").await;
    let pool = app.core().db.pool();
    for sql in [
        "CREATE TABLE slowness (seconds float8)",
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
             PERFORM pg_sleep((SELECT seconds FROM public.slowness)); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON vault_checkpoints DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION dawdle()",
        "INSERT INTO slowness VALUES (0.4)",
    ] {
        sqlx::query(sql).execute(pool).await.unwrap();
    }
    way.arm(&[commit(Cut::During, 1)]);
    made(app.client(), &app, "slow").await;

    sqlx::query("UPDATE slowness SET seconds = 3").execute(pool).await.unwrap();
    let keyed = || {
        let request = app.post("/v1/vault/seals").key(app.key()).json(&seal("slower"));
        request.header("idempotency-key", "slower").send()
    };
    assert_eq!(keyed().await.unwrap().code(), "unavailable", "nobody knows yet");
    way.disarm();
    sqlx::query("UPDATE slowness SET seconds = 0").execute(pool).await.unwrap();
    // This waits for the log's head, and then finds its own first answer.
    let again = keyed().await.unwrap();
    assert_eq!(again.header("idempotency-replayed"), "true", "{}", again.text());
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!((log.size(), log.verify(&again.expect(201).unwrap())), (3, 2));
    app.stop().await.unwrap();
}

/// Seals that do not go through the queue are sealed once, whether the commit was lost or only the
/// answer to it.
#[tokio::test]
async fn decisions_expiries_and_the_outbox_are_sealed_once() {
    let (app, way) = app().await;
    let hold = json!({"kind": "fault", "verdict": "HOLD", "payload": {"id": "held"}});
    for _ in 0..4 {
        app.post("/v1/vault/seals")
            .key(app.key())
            .json(&hold)
            .send()
            .await
            .unwrap()
            .expect::<Value>(201)
            .unwrap();
    }
    let (person, token) = app.person("ada@example.com").await.unwrap();
    app.join(person, Role::Owner).await.unwrap();
    let project = app.project();
    let approve = |index: u64| {
        let request = app.post(&format!("/v1/vault/proposals/{index}/approve")).key(&token);
        request.header("holdfast-project", &project.to_string()).json(&json!({"reason": "seen"})).send()
    };
    let mut vault = app.vault().unwrap();
    // At this time all of them have expired.
    vault.core.clock = Clock::held(vault.core.clock.now() + TimeDelta::days(8));
    vault.core.db = Db::lazy(way.url(app.database().url()).unwrap().parse().unwrap(), 2);
    let expire = async |proposal| vault::expire(&vault, &ExpireProposal { project, proposal }).await;
    let put = async |n: u64| {
        let payload = json!({"id": format!("put {n}")});
        let seal = OutboxSeal { kind: "fault", verdict: Verdict::Seal, subject: None, payload: &payload };
        let system = Caller::system(DbScope::Project(project));
        app.core().write(system, async |unit| outbox::put(unit, project, seal).await).await.unwrap();
    };
    let drain = async || outbox::drain(&vault, project).await;

    way.arm(&[commit(Cut::Before, 1)]);
    put(0).await;
    assert_eq!(approve(0).await.unwrap().code(), "unavailable");
    assert_eq!(expire(1).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(drain().await.unwrap_err().code(), Code::Unavailable);
    way.arm(&[commit(Cut::After, 1)]);
    for n in 0..2 {
        // The first of each was tried before.
        let decided: Value = approve(n * 2).await.unwrap().expect(201).unwrap();
        assert_eq!(approve(n * 2).await.unwrap().code(), "proposal_decided");
        expire(n * 2 + 1).await.unwrap();
        expire(n * 2 + 1).await.unwrap();
        drain().await.unwrap();
        drain().await.unwrap();
        put(n + 1).await;
        let log = sound(app.database().url(), app.client(), app.key()).await;
        assert_eq!(log.size() as u64, 4 + (n + 1) * 3);
        assert_eq!(log.verify(&decided) as u64, 4 + n * 3);
    }
    assert_eq!(way.struck()[0].1, 6);
    app.stop().await.unwrap();
}

/// An erasure that is asked for again with its key was done once, whether the COMMIT was lost or
/// only the answer to it.
#[tokio::test]
async fn an_erasure_whose_commit_is_lost_is_asked_for_again() {
    let (app, way) = app().await;
    let about = |name: &str| {
        let payload = json!({"id": name});
        json!({"kind": "fault", "verdict": "SEAL", "payload": payload, "subject": "s", "personal": name})
    };
    let seal = async |name: &str| {
        app.post("/v1/vault/seals")
            .key(app.key())
            .json(&about(name))
            .send()
            .await
            .unwrap()
            .expect::<Value>(201)
            .unwrap()
    };
    let erase = async |key: &str| {
        let request = app.post("/v1/vault/subjects/s/erase").key(app.key());
        request.header("idempotency-key", key).send().await.unwrap()
    };
    let pool = app.core().db.pool();
    seal("one").await;
    way.arm(&[commit(Cut::Before, 1)]);
    assert_eq!(erase("a").await.code(), "unavailable", "nothing was done");
    way.disarm();
    let done = erase("a").await;
    assert_eq!((done.status, done.header("idempotency-replayed")), (201, ""));

    seal("two").await;
    way.arm(&[commit(Cut::After, 1)]);
    let done = erase("b").await;
    assert_eq!((done.status, way.struck()[0].1), (201, 1), "{}", done.text());
    way.disarm();

    // The API does not learn in time that this one was done.
    seal("three").await;
    for sql in [
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3); RETURN \
        NULL; END $$",
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON vault_checkpoints DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION dawdle()",
    ] {
        sqlx::query(sql).execute(pool).await.unwrap();
    }
    way.arm(&[commit(Cut::During, 1)]);
    assert_eq!(erase("c").await.code(), "unavailable", "nobody knows yet");
    way.disarm();
    let again = loop {
        let again = erase("c").await;
        if again.code() != "idempotency_in_flight" {
            break again;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"), "{}", again.text());
    let log = sound(app.database().url(), app.client(), app.key()).await;
    assert_eq!((log.size(), log.verify(&again.json())), (6, 5));
    app.stop().await.unwrap();
}

async fn post(replica: &Client, app: &TestApp, id: &str) -> Reply {
    replica.post("/v1/vault/seals").key(app.key()).json(&seal(id)).send().await.unwrap()
}

/// Makes a seal, which must be acknowledged at once.
async fn made(replica: &Client, app: &TestApp, id: &str) -> Value {
    post(replica, app, id).await.expect(201).unwrap()
}
