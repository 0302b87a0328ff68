//! The vault's throughput: seals a second over HTTP, with their receipts, against plain rows and
//! against a chain of hashes under one row's lock. Then the cost of reading, proving and storing a
//! million of them.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use kernel::{
    Clock, Core, Ids,
    caller::{Authorized, Principal},
    ids::ProjectId,
};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, postgres::PgPoolOptions};
use testkit::test_core;
use uuid::Uuid;
use vault::{Appender, KekRing, NewSeal, NewSeals, Vault, VaultKeyRing};

use super::{
    drive::{Connection, Counted, RunOnce, connect, drive, exchange},
    load::Load,
    product::{Product, median, peak_rss},
    report::{Case, Report},
};

const SECONDS: u64 = 5;
const ROUNDS: usize = 3;
/// The connections that the callers of a baseline share, as many as two replicas have.
const CONNECTIONS: u32 = 64;
/// The size of the log whose proofs are measured.
const MILLION: u64 = 1_000_000;

pub(super) async fn run() -> Result<Report> {
    let product = Product::start().await?;
    let second = product.replica().await?;
    let db = kernel::Db::lazy(product.database_url.parse()?, 4);
    let core = test_core(db);
    let (_, key) = domain::identity::bootstrap(&core, "bench", "development").await?;
    prepare(core.db.pool()).await?;

    let mut cases = Vec::new();
    for callers in [16, 256] {
        let load = |addresses: &[SocketAddr]| Load::Seals {
            addresses: addresses.to_vec(),
            key: key.reveal(),
            callers,
            seconds: SECONDS,
        };
        let baseline =
            |chained| Load::Rows { url: product.database_url.clone(), chained, callers, seconds: SECONDS };
        let (one, two) = (load(&[product.address]), load(&[product.address, second.address]));
        let (plain, chain) = (baseline(false), baseline(true));
        let mut counted: [Vec<Counted>; 4] = Default::default();
        let mut peak = 0.0_f64;
        for _ in 0..ROUNDS {
            counted[0].push(plain.in_own_process().await?);
            counted[1].push(chain.in_own_process().await?);
            for (n, load) in [(2, &one), (3, &two)] {
                let (rate, rss) = peak_rss(&product, load.in_own_process()).await?;
                counted[n].push(rate);
                peak = peak.max(rss);
            }
        }
        let of = |n: usize, what: fn(&Counted) -> f64| median(counted[n].iter().map(what).collect());
        for (n, replicas) in [(2, "one replica"), (3, "two replicas")] {
            let rate = of(n, |counted| counted.rate);
            let case = |name: &str, baseline: usize, bar| Case {
                p50_ms: Some(of(n, |counted| counted.p50_ms)),
                p99_ms: Some(of(n, |counted| counted.p99_ms)),
                rss_mib: Some(peak),
                ..Case::ratio(
                    format!("seals ÷ {name}, {callers} callers, {replicas}"),
                    rate,
                    of(baseline, |counted| counted.rate),
                    "seals/s",
                    bar,
                )
            };
            cases.push(case("plain rows", 0, (callers == 256).then_some(1.0)));
            cases.push(case("a chain of hashes", 1, (callers == 16).then_some(2.5)));
            if callers == 256 {
                cases.push(Case::below(
                    format!("p99 of seals, 256 callers, {replicas}"),
                    of(n, |counted| counted.p99_ms),
                    "ms",
                    80.0,
                ));
            }
        }
    }
    cases.extend(a_million(&product, &core).await?);
    Ok(Report { name: "vault", cases })
}

/// Measures reading, proving and storing a large log.
async fn a_million(product: &Product, core: &Core) -> Result<Vec<Case>> {
    let (project, key) = domain::identity::bootstrap(core, "large", "development").await?;
    fill(core, project).await?;
    let bytes: i64 = sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relname LIKE 'vault\\_%' AND \
        relkind = 'r'",
    )
    .fetch_one(core.db.pool())
    .await?;
    let (seals, entries): (i64, i64) =
        sqlx::query_as("SELECT count(*), sum(octet_length(entry))::bigint FROM vault_entries")
            .fetch_one(core.db.pool())
            .await?;
    let get = |path: String| Load::Get {
        address: product.address,
        path,
        connections: 16,
        seconds: SECONDS,
        key: Some(key.reveal()),
    };
    let receipts = get("/v1/vault/seals/123456/receipt".to_owned()).in_own_process().await?;
    let proofs =
        get("/v1/vault/proof/inclusion?index=123456&size=999999".to_owned()).in_own_process().await?;
    let one = Load::Get {
        address: product.address,
        path: "/v1/vault/proof/inclusion?index=123456".to_owned(),
        connections: 1,
        seconds: SECONDS,
        key: Some(key.reveal()),
    };
    let one = one.in_own_process().await?;
    let client = testkit::Client::new(format!("http://{}", product.address).parse()?, core.clock.clone())?;
    let proof: serde_json::Value =
        client.get("/v1/vault/proof/inclusion?index=123456").key(&key.reveal()).send().await?.expect(200)?;
    let hashes = proof["hashes"].as_array().context("a proof without hashes")?.len();
    let rate = |case: &str, counted: Counted| Case {
        case: case.to_owned(),
        value: counted.rate,
        unit: "req/s",
        p50_ms: Some(counted.p50_ms),
        p99_ms: Some(counted.p99_ms),
        holds: true,
        ..Case::default()
    };
    let number = |case: &str, value: f64, unit: &'static str| Case {
        case: case.to_owned(),
        value,
        unit,
        holds: true,
        ..Case::default()
    };
    Ok(vec![
        rate("receipts at 10^6 entries, 16 callers", receipts),
        rate("inclusion proofs at 10^6 entries, 16 callers", proofs),
        rate("inclusion proofs at 10^6 entries, 1 caller", one),
        number("size of an inclusion proof at 10^6 entries", (hashes * 32) as f64, "bytes"),
        number("storage of a seal, all tables and indexes", bytes as f64 / seals as f64, "bytes"),
        number("of which its entry", entries as f64 / seals as f64, "bytes"),
    ])
}

/// Appends a million seals without HTTP.
async fn fill(core: &Core, project: ProjectId) -> Result<()> {
    let (signing, keks) = (VaultKeyRing::generate(&core.ids), KekRing::generate(&core.ids));
    let vault = Vault::new(core.clone(), &signing, &keks, &"http://127.0.0.1".parse()?);
    let appender = Appender::new(vault);
    let by = Authorized::check(Principal::system(project))?;
    let seal: NewSeal = serde_json::from_slice(&body(0))?;
    let seals = NewSeals { seals: vec![seal; 1_000], expected_size: None };
    for _ in 0..MILLION / 1_000 {
        appender.append(&by, &seals).await?;
    }
    Ok(())
}

/// Returns a typical seal, with some 300 bytes of payload.
fn body(n: u64) -> Vec<u8> {
    let payload = serde_json::json!({
        "action": "transfer", "amount": 1_250, "currency": "EUR", "order": n, "policy": "limits/2026-11",
        "reason": "below the daily limit, and the recipient is known since more than thirty days; two of two \
            checks passed",
        "checks": [{ "name": "limit", "passed": true }, { "name": "recipient", "passed": true }],
    });
    serde_json::json!({ "kind": "payment.decision", "verdict": "SEAL", "payload": payload })
        .to_string()
        .into_bytes()
}

/// Appends seals over HTTP, each caller on a connection of its own, spread over the replicas.
pub(super) async fn over_http(
    addresses: &[SocketAddr],
    key: &str,
    callers: usize,
    seconds: u64,
) -> Result<Counted> {
    ensure!(!addresses.is_empty(), "there is no replica");
    let key = format!("Bearer {key}");
    drive(callers, seconds, async |number| {
        let address = addresses[number % addresses.len()];
        Ok(Caller { connection: connect(address).await?, address, key: key.clone(), number: number as u64 })
    })
    .await
}

struct Caller {
    connection: Connection,
    address: SocketAddr,
    key: String,
    number: u64,
}

impl RunOnce for Caller {
    async fn run_once(&mut self) -> Result<()> {
        self.number += 1_000;
        let request = Request::post("/v1/vault/seals")
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .header("authorization", &self.key)
            .body(Full::from(Bytes::from(body(self.number))))?;
        exchange(&mut self.connection, request, 201).await
    }
}

/// Creates the tables of the baselines.
async fn prepare(pool: &PgPool) -> Result<()> {
    let tables = "CREATE TABLE bench_rows ( \
             id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), body bytea NOT NULL \
         ); \
         CREATE TABLE bench_chain ( \
             n bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), \
             hash bytea NOT NULL, body bytea NOT NULL \
         ); \
         CREATE TABLE bench_head (one boolean PRIMARY KEY, n bigint NOT NULL, hash bytea NOT NULL); \
         INSERT INTO bench_head VALUES (true, 0, '')";
    sqlx::raw_sql(tables).execute(pool).await?;
    Ok(())
}

/// Writes the same bytes as plain rows, each in its own commit, or each chained to the one before
/// under the lock of the head's row.
pub(super) async fn by_sqlx(url: &str, chained: bool, callers: usize, seconds: u64) -> Result<Counted> {
    let pool =
        PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false).connect(url).await?;
    drive(callers, seconds, async |number| {
        Ok(Row { pool: pool.clone(), ids: Ids::new(Clock::system()), chained, number: number as u64 })
    })
    .await
}

struct Row {
    pool: PgPool,
    ids: Ids,
    chained: bool,
    number: u64,
}

impl RunOnce for Row {
    async fn run_once(&mut self) -> Result<()> {
        self.number += 1_000;
        let body = body(self.number);
        if !self.chained {
            let insert = sqlx::query("INSERT INTO bench_rows (id, body) VALUES ($1, $2)");
            insert.bind(self.ids.next::<Uuid>()).bind(body).execute(&self.pool).await?;
            return Ok(());
        }
        let mut tx = self.pool.begin().await?;
        let (n, hash): (i64, Vec<u8>) =
            sqlx::query_as("SELECT n, hash FROM bench_head FOR UPDATE").fetch_one(&mut *tx).await?;
        let hash = Sha256::new().chain_update(hash).chain_update(&body).finalize().to_vec();
        sqlx::query(
            "WITH row AS (INSERT INTO bench_chain (n, hash, body) VALUES ($1, $2, $3)) UPDATE bench_head SET \
            n = $1, hash = $2",
        )
        .bind(n + 1)
        .bind(hash)
        .bind(body)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
