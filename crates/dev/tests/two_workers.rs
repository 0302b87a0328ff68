//! The promise of two workers that overlap, which nothing on the platform prevents: whatever
//! happens to the one that works, no job is lost and no schedule runs twice for one slot.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one counts"
)]

use std::{
    collections::HashSet,
    env,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use dev::{Instance, InstanceOptions, app::register};
use kernel::Clock;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use testkit::{Client, Identity, Program, services::Options};
use tokio::{net::TcpListener, time::sleep};

const INTENTS: usize = 400;
/// The time that the two overlap, unless HOLDFAST_OVERLAP_SECONDS is set. Less than 50 s is too
/// short for a lease to end twice.
const OVERLAP: Duration = Duration::from_secs(60);
/// The time after which a frozen worker's lease has ended: it lasts 10 s, and a standby asks every
/// second.
const FROZEN: Duration = Duration::from_secs(13);
/// The time that the last jobs may take: those of a vanished worker run again after 20 s, failed
/// ones later.
const SETTLED: Duration = Duration::from_secs(60);

/// The numbers of the intents that were pushed.
type Pushed = Arc<Mutex<Vec<u64>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_workers_lose_no_job_and_run_no_schedule_twice() {
    let options = InstanceOptions {
        binary: Some(env!("CARGO_BIN_EXE_dev").into()),
        services: Options { valkey: false, nats: false, ..Options::testing() },
        variables: vec![("RATE_LIMIT_PER_MINUTE".into(), "0".into())],
        ..InstanceOptions::quiet()
    };
    let mut instance = Instance::start(options).await.unwrap();
    // The two workers of this test have addresses that it knows.
    instance.worker().stop().await.unwrap();
    let url = instance.services().unwrap().postgres.database_url("holdfast");
    let mut database = PgConnection::connect(&url).await.unwrap();
    database.execute(JOURNAL).await.unwrap();

    let asked = env::var("HOLDFAST_OVERLAP_SECONDS")
        .ok()
        .map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    let overlap = asked.unwrap_or(OVERLAP);
    let (mut first, mut second) = (Worker::start(&instance), Worker::start(&instance));
    let started = Instant::now();
    let pushed = Pushed::default();
    let sending =
        tokio::spawn(send(instance.client().unwrap(), instance.key().to_owned(), pushed.clone(), overlap));

    sleep(overlap / 8).await;
    first.and(&mut second).await.holder().program.kill().await.unwrap();
    for worker in [&mut first, &mut second] {
        // Starts the killed worker, and does nothing for the other.
        worker.program.start().unwrap();
    }

    sleep_until(started + overlap * 3 / 8).await;
    {
        let mut both = first.and(&mut second).await;
        both.holder().program.freeze().unwrap();
        sleep(FROZEN).await;
        assert!(both.other().phase().await.contains("working"), "nobody took over from the frozen worker");
        both.holder().program.thaw().unwrap();
    }

    sleep_until(started + overlap * 6 / 8).await;
    let ended = first.and(&mut second).await.holder().program.stop().await.unwrap().unwrap();
    assert!(ended.success(), "a worker that was told to stop ended with {ended}");
    for worker in [&mut first, &mut second] {
        worker.program.start().unwrap();
    }
    sleep_until(started + overlap).await;

    let accepted: Vec<String> = sending.await.unwrap();
    assert_eq!(accepted.len(), INTENTS);
    let deadline = Instant::now() + SETTLED;
    let left = "SELECT count(*) FROM jobs WHERE kind = 'intents.deliver'";
    while count(&mut database, left).await > 0 && Instant::now() < deadline {
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(count(&mut database, left).await, 0, "jobs were left over");
    let acked = "SELECT count(*) FROM deliveries WHERE state = 'acked'";
    assert_eq!(count(&mut database, acked).await, i64::try_from(INTENTS).unwrap());
    let pushed = pushed.lock().unwrap().clone();
    let distinct: HashSet<u64> = pushed.iter().copied().collect();
    assert_eq!(distinct.len(), INTENTS, "intents counted as delivered that nobody was told of");

    let twice =
        "SELECT count(*) FROM (SELECT FROM journal GROUP BY name, slot, what HAVING count(*) > 1) AS twice";
    assert_eq!(count(&mut database, twice).await, 0, "a schedule ran twice for one slot");
    let slots = count(&mut database, "SELECT count(*) FROM journal WHERE what = 'taken'").await;
    let epochs = count(&mut database, "SELECT epoch FROM worker_lease").await;
    println!(
        "{} pushes of {INTENTS} intents; {slots} slots of schedules taken under {epochs} epochs",
        pushed.len()
    );
    assert!(epochs >= 5, "the lease changed hands {epochs} times: this shows nothing");
    // The sweep alone is due every 5 s, and is missed while a lease of a dead or frozen worker
    // lasts.
    assert!(slots >= i64::try_from(overlap.as_secs() / 10).unwrap(), "schedules ran {slots} times only");
}

/// Notes each slot of a schedule that is taken, and each run that ends.
const JOURNAL: &str = "
    CREATE TABLE journal (name text, slot timestamptz, what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO public.journal
            VALUES (NEW.name, NEW.slot, CASE WHEN NEW.finished_at IS NULL THEN 'taken' ELSE 'ended' END);
        RETURN NEW;
    END $$;
    CREATE TRIGGER note AFTER UPDATE ON schedules FOR EACH ROW EXECUTE FUNCTION note();
";

async fn count(database: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(database).await.unwrap()
}

struct Worker {
    program: Program,
    health: Client,
}

impl Worker {
    fn start(instance: &Instance) -> Self {
        let (mut program, url) = instance.another_worker().unwrap();
        program.start().unwrap();
        Self { program, health: Client::new(url, Clock::system()).unwrap() }
    }

    /// Returns the text of its readiness, or an empty text if it does not answer.
    async fn phase(&self) -> String {
        let reply = self.health.get("/health/ready").send().await;
        reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned()).unwrap_or_default()
    }

    /// Returns both, once one of them works and the other stands by.
    async fn and<'a>(&'a mut self, other: &'a mut Self) -> Pair<'a> {
        let deadline = Instant::now() + SETTLED;
        loop {
            let phases = [self.phase().await, other.phase().await];
            match phases.each_ref().map(|phase| (phase.contains("working"), phase.contains("standing_by"))) {
                [(true, _), (_, true)] => return Pair(self, other),
                [(_, true), (true, _)] => return Pair(other, self),
                _ => assert!(
                    Instant::now() < deadline,
                    "one worker was to work and one to stand by: {phases:?}"
                ),
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The worker that works, and the one that stands by.
struct Pair<'a>(&'a mut Worker, &'a mut Worker);

impl Pair<'_> {
    fn holder(&mut self) -> &mut Worker {
        self.0
    }

    fn other(&self) -> &Worker {
        self.1
    }
}

/// Sends numbered intents to an agent with an endpoint, spread over the time `over`.
async fn send(client: Client, key: String, pushed: Pushed, over: Duration) -> Vec<String> {
    let (sender, recipient) = (Identity::generate(), Identity::generate());
    let endpoint = json!({ "endpoint": format!("http://{}/", listen_for_pushes(pushed).await) });
    register(&client, &key, &sender, "sender", json!({})).await.unwrap();
    register(&client, &key, &recipient, "recipient", endpoint).await.unwrap();
    let mut accepted = Vec::new();
    let mut ticks = tokio::time::interval(over / u32::try_from(INTENTS).unwrap());
    for number in 0..INTENTS {
        ticks.tick().await;
        let intent = json!({ "to": recipient.did(), "type": "overlap.test", "payload": number });
        let reply = client.post("/v1/intents").json(&intent).sign(&sender).send().await.unwrap();
        accepted.push(reply.expect::<Value>(202).unwrap()["id"].as_str().unwrap().to_owned());
    }
    accepted
}

/// Listens for pushes, and answers slowly, so that some are under way whenever something happens to
/// the worker.
async fn listen_for_pushes(pushed: Pushed) -> SocketAddr {
    let take = async |State(pushed): State<Pushed>, Json(delivery): Json<Value>| {
        sleep(Duration::from_millis(400)).await;
        pushed.lock().unwrap().push(delivery["intent"]["payload"].as_u64().unwrap());
        StatusCode::NO_CONTENT
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", post(take)).with_state(pushed);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn sleep_until(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}
