//! The cost of accepting an intent beside its statements: HTTP, JSON, the digest, the signature and
//! the extractors, against the same statements by raw sqlx, which verifies nothing.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use domain::intents::jobs::DeliverIntent;
use http_body_util::Full;
use hyper::Request;
use kernel::{Clock, Ids, ids::ProjectId, queue::Job};
use reqwest::{Method, Url};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, types::Json};
use uuid::Uuid;

use super::{
    drive::{Connection, Counted, RunOnce, connect, drive, exchange},
    load::Load,
    product::{Product, median, peak_rss},
    report::{Case, Report},
};
use testkit::{
    client::Client,
    sign::{Identity, Signing, content_digest},
    test_core,
};

const SECONDS: u64 = 5;
const ROUNDS: usize = 3;
/// The number of requests that each connection signs beforehand for each second, which is more than
/// any accepts.
const SIGNED_PER_SECOND: u64 = 3_000;

pub(super) async fn run() -> Result<Report> {
    let product = Product::start().await?;
    let db = kernel::Db::lazy(product.database_url.parse()?, 2);
    let core = test_core(db);
    let (project, key) = domain::identity::bootstrap(&core, "bench", "development").await?;

    let mut cases = Vec::new();
    for (connections, bar) in [(1, None), (16, None), (64, Some(0.6))] {
        let http =
            Load::Intents { address: product.address, key: key.reveal(), connections, seconds: SECONDS };
        let raw =
            Load::Statements { url: product.database_url.clone(), project, connections, seconds: SECONDS };
        let (mut ours, mut theirs): (Vec<Counted>, Vec<Counted>) = Default::default();
        let mut peak = 0.0_f64;
        for _ in 0..ROUNDS {
            theirs.push(raw.in_own_process().await?);
            let (counted, rss) = peak_rss(&product, http.in_own_process()).await?;
            ours.push(counted);
            peak = peak.max(rss);
        }
        let of = |counted: &[Counted], what: fn(&Counted) -> f64| median(counted.iter().map(what).collect());
        cases.push(Case {
            p50_ms: Some(of(&ours, |counted| counted.p50_ms)),
            p99_ms: Some(of(&ours, |counted| counted.p99_ms)),
            rss_mib: Some(peak),
            ..Case::ratio(
                format!("accepted intents, {connections} connections"),
                of(&ours, |counted| counted.rate),
                of(&theirs, |counted| counted.rate),
                "intents/s",
                bar,
            )
        });
        if connections == 64 {
            cases.push(Case::below("memory of api under that load", peak, "MiB", 150.0));
        }
    }
    Ok(Report { name: "intents", cases })
}

/// Registers a sender and a recipient for each connection, signs, and sends.
pub(super) async fn over_http(
    address: SocketAddr,
    key: &str,
    connections: usize,
    seconds: u64,
) -> Result<Counted> {
    let base: Url = format!("http://{address}").parse()?;
    let client = Client::new(base.clone(), Clock::system())?;
    let mut pairs = Vec::new();
    for _ in 0..connections {
        let (sender, recipient) = (Identity::generate(), Identity::generate());
        for agent in [&sender, &recipient] {
            let body =
                serde_json::json!({ "did": agent.did(), "public_key": agent.public_key(), "name": "bench" });
            client
                .post("/v1/agents")
                .key(key)
                .json(&body)
                .sign(agent)
                .send()
                .await?
                .expect::<serde_json::Value>(201)?;
        }
        pairs.push((sender, recipient));
    }
    let each = usize::try_from((seconds + 1) * SIGNED_PER_SECOND)? / connections.min(8);
    drive(connections, seconds, async |number| {
        let (sender, recipient) = &pairs[number];
        let requests =
            (0..each).map(|_| signed(&base, address, sender, recipient)).collect::<Result<Vec<_>>>()?;
        Ok(Sender { connection: connect(address).await?, requests })
    })
    .await
}

fn signed(
    base: &Url,
    address: SocketAddr,
    sender: &Identity,
    recipient: &Identity,
) -> Result<Request<Full<Bytes>>> {
    let body = serde_json::json!({
        "to": recipient.did(), "type": "bench.ping", "payload": { "text": "hello", "numbers": [1, 2, 3] }
    });
    let body = serde_json::to_vec(&body)?;
    let url = base.join("/v1/intents")?;
    let digest = content_digest(&body);
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("content-digest", digest.parse()?);
    let (input, signature) = Signing::by(sender, &Clock::system()).sign(&Method::POST, &url, &headers)?;
    Ok(Request::post("/v1/intents")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .header("content-digest", digest)
        .header("signature-input", input)
        .header("signature", signature)
        .body(Full::from(body))?)
}

struct Sender {
    connection: Connection,
    requests: Vec<Request<Full<Bytes>>>,
}

impl RunOnce for Sender {
    async fn run_once(&mut self) -> Result<()> {
        let request = self.requests.pop().context("more intents were accepted than were signed")?;
        exchange(&mut self.connection, request, 202).await
    }
}

/// Runs the statements of `domain::intents::send`.
pub(super) async fn by_sqlx(
    url: &str,
    project: ProjectId,
    connections: usize,
    seconds: u64,
) -> Result<Counted> {
    drive(connections, seconds, async |_| {
        let mut connection = PgConnection::connect(url).await?;
        let ids = Ids::new(Clock::system());
        let (sender, recipient) = (Identity::generate(), Identity::generate());
        let mut agents = [Uuid::nil(); 2];
        for (agent, id) in [&sender, &recipient].into_iter().zip(&mut agents) {
            *id = ids.next();
            sqlx::query(
                "INSERT INTO agents \
                     (id, project_id, did, public_key, name, capabilities, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, 'bench', '[]', now(), now())",
            )
            .bind(*id)
            .bind(project)
            .bind(agent.did())
            .bind([7_u8; 32].as_slice())
            .execute(&mut connection)
            .await?;
        }
        let body = serde_json::json!({
            "to": recipient.did(), "type": "bench.ping", "payload": { "text": "hello", "numbers": [1, 2, 3] }
        });
        Ok(Statements {
            connection,
            ids,
            project,
            sender: agents[0],
            to: recipient.did().to_owned(),
            body: body.to_string().into_bytes(),
        })
    })
    .await
}

struct Statements {
    connection: PgConnection,
    ids: Ids,
    project: ProjectId,
    sender: Uuid,
    to: String,
    body: Vec<u8>,
}

impl RunOnce for Statements {
    async fn run_once(&mut self) -> Result<()> {
        let (intent, delivery): (Uuid, Uuid) = (self.ids.next(), self.ids.next());
        let now = Clock::system().now();
        let begin = format!(
            "BEGIN; SET LOCAL ROLE holdfast_app; SET LOCAL app.project_id = '{}'; SET LOCAL \
            statement_timeout = 10000",
            self.project.uuid()
        );
        let mut tx = self.connection.begin_with(AssertSqlSafe(begin)).await?;
        sqlx::query(
            "INSERT INTO signature_nonces (project_id, digest, expires_at) VALUES ($1, $2, $3) ON CONFLICT \
            DO NOTHING",
        )
        .bind(self.project)
        .bind(self.ids.bytes::<32>().as_slice())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "WITH route AS ( \
                 SELECT EXISTS (SELECT FROM agents WHERE id = $4 AND deleted_at IS NULL) AS sender_lives, \
                        (SELECT id FROM agents \
                         WHERE project_id = $2 AND did = $5 AND deleted_at IS NULL) AS recipient \
             ), intent AS ( \
                 INSERT INTO intents ( \
                     id, project_id, sender_id, recipient_id, type, body, correlation_id, \
                     signature_base, signature, public_key, traceparent, created_at, expires_at \
                 ) \
                 SELECT $1, $2, $4, recipient, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
                 FROM route WHERE sender_lives AND recipient IS NOT NULL \
             ), delivery AS ( \
                 INSERT INTO deliveries \
                     (id, project_id, intent_id, recipient_id, state, visible_at, expires_at, size) \
                 SELECT $3, $2, $1, recipient, 'accepted', $13, $14, octet_length($7) \
                 FROM route WHERE sender_lives AND recipient IS NOT NULL \
             ) \
             SELECT sender_lives, recipient FROM route",
        )
        .bind(intent)
        .bind(self.project)
        .bind(delivery)
        .bind(self.sender)
        .bind(&self.to)
        .bind("bench.ping")
        .bind(&self.body)
        .bind(None::<&str>)
        .bind(BASE)
        .bind([7_u8; 64].as_slice())
        .bind([7_u8; 32].as_slice())
        .bind("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
        .bind(now)
        .bind(now + chrono::TimeDelta::days(1))
        .fetch_one(&mut *tx)
        .await?;
        let job = DeliverIntent { project: self.project, delivery: delivery.into() };
        sqlx::query(
            "WITH event AS ( \
                 INSERT INTO audit_events (id, project_id, at, actor, action, subject, request_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ) \
             INSERT INTO jobs (queue, kind, max_attempts, timeout_ms, run_at, payload) \
             VALUES ($8, $9, $10, $11, $3, $12)",
        )
        .bind(self.ids.next::<Uuid>())
        .bind(self.project)
        .bind(now)
        .bind("agt_019aa3f0c1d27abc8def0123456789ab")
        .bind("intent.accepted")
        .bind("int_019aa3f0c1d27abc8def0123456789ab")
        .bind("019aa3f0c1d27abc8def0123456789ab")
        .bind(DeliverIntent::QUEUE.as_str())
        .bind(DeliverIntent::KIND)
        .bind(i16::try_from(DeliverIntent::MAX_ATTEMPTS)?)
        .bind(i32::try_from(DeliverIntent::TIMEOUT.as_millis())?)
        .bind(Json(&job))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}

/// A text as long as a signature base.
const BASE: &str = "\"@method\": POST\n\"@target-uri\": http://127.0.0.1:8080/v1/intents\n\
    \"content-digest\": sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:\n\
    \"@signature-params\": (\"@method\" \"@target-uri\" \"content-digest\");created=1760000000;\
    nonce=\"AAAAAAAAAAAAAAAAAAAAAA\";\
    keyid=\"did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH\";alg=\"ed25519\"";
