//! The cost of rate limits: an authenticated `GET` whose requests are counted in Redis against one
//! without limits, by two replicas over the same Postgres.

use anyhow::Result;
use kernel::Clock;

use super::{
    drive::Counted,
    load::Load,
    product::{Product, cpu_seconds, median},
    report::{Case, Report},
};
use crate::app::register;
use testkit::{client::Client, sign::Identity, test_core};

/// The requests a minute: one each microsecond, so that none is refused.
const QUOTA: u32 = 60_000_000;
const SECONDS: u64 = 5;
const ROUNDS: usize = 3;

/// One round of load, and the CPU time that the replica spent on a request.
#[derive(Clone, Copy)]
struct Round {
    counted: Counted,
    cpu_us: f64,
}

pub(super) async fn run() -> Result<Report> {
    let product = Product::limited_to(QUOTA).await?;
    let unlimited = product.replica_limited_to(0).await?;
    let db = kernel::Db::lazy(product.database_url.parse()?, 2);
    let (_, key) = domain::identity::bootstrap(&test_core(db), "bench", "development").await?;
    let agent = Identity::generate();
    let client = Client::new(format!("http://{}", product.address).parse()?, Clock::system())?;
    register(&client, &key.reveal(), &agent, "bench", serde_json::json!({})).await?;

    let mut cases = Vec::new();
    for connections in [1, 16, 64] {
        let load = |address| Load::Get {
            address,
            path: format!("/v1/agents/{}", agent.did()),
            connections,
            seconds: SECONDS,
            key: Some(key.reveal()),
        };
        let (mut limited, mut free) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            free.push(round(load(unlimited.address), unlimited.pid()?).await?);
            limited.push(round(load(product.address), product.pid()?).await?);
        }
        let of = |rounds: &[Round], what: fn(&Round) -> f64| median(rounds.iter().map(what).collect());
        let rate = |rounds| of(rounds, |round| round.counted.rate);
        cases.push(Case {
            p50_ms: Some(of(&limited, |round| round.counted.p50_ms)),
            p99_ms: Some(of(&limited, |round| round.counted.p99_ms)),
            ..Case::ratio(
                format!("GET, counted ÷ uncounted, {connections} connections"),
                rate(&limited),
                rate(&free),
                "req/s",
                None,
            )
        });
        let cpu = |rounds| of(rounds, |round| round.cpu_us);
        cases.push(Case::ratio("CPU of api a request", cpu(&limited), cpu(&free), "µs", None));
    }
    Ok(Report { name: "counting", cases })
}

async fn round(load: Load, pid: u32) -> Result<Round> {
    let before = cpu_seconds(pid)?;
    let counted = load.in_own_process().await?;
    let spent = cpu_seconds(pid)? - before;
    Ok(Round { counted, cpu_us: spent * 1e6 / counted.requests as f64 })
}
