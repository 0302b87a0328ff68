//! The requests that two replicas let through together, against the quota that they share through
//! Redis.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kernel::Clock;
use reqwest::Url;

use super::{
    product::Product,
    report::{Case, Report},
};
use testkit::{client::Client, test_core};

/// The quota, in requests a minute.
const QUOTA: u32 = 100;
/// The accepted deviation from the quota.
const SHARE: f64 = 0.02;
const WINDOW: Duration = Duration::from_secs(60);
/// The time between requests to each replica, which make thirty times the quota.
const PACE: Duration = Duration::from_millis(40);
/// The number of requests at once to an untouched quota.
const BURST: usize = 3 * QUOTA as usize;

pub(super) async fn run() -> Result<Report> {
    let product = Product::limited_to(QUOTA).await?;
    let other = product.replica().await?;
    let clock = Clock::system();
    let db = kernel::Db::lazy(product.database_url.parse()?, 2);
    let core = test_core(db);
    let (_, key) = domain::identity::bootstrap(&core, "bench", "development").await?;
    let client = |address| anyhow::Ok(Client::new(Url::parse(&format!("http://{address}"))?, clock.clone())?);
    let replicas = [client(product.address)?, client(other.address)?];
    let key = key.reveal();

    let burst = (0..BURST).map(|number| allowed(&replicas[number % replicas.len()], &key));
    let begun = Instant::now();
    let mut at_once = 0_u32;
    for answer in futures::future::join_all(burst).await {
        at_once += u32::from(answer?);
    }
    // These requests also used the quota that came back meanwhile.
    let came_back = (begun.elapsed().as_secs_f64() * f64::from(QUOTA) / WINDOW.as_secs_f64()).floor();

    let (first, second) =
        tokio::try_join!(over_a_window(&replicas[0], &key), over_a_window(&replicas[1], &key))?;
    let cases = vec![
        Case::within(
            "let through at once by two replicas",
            f64::from(at_once) - came_back,
            QUOTA.into(),
            "requests",
            SHARE,
        ),
        Case::within(
            "let through in the minute after by two replicas",
            (first + second).into(),
            QUOTA.into(),
            "requests",
            SHARE,
        ),
    ];
    Ok(Report { name: "limits", cases })
}

/// Returns the number of requests that are let through in a window whose quota is used up at its
/// start.
async fn over_a_window(replica: &Client, key: &str) -> Result<u32> {
    let end = tokio::time::Instant::now() + WINDOW;
    let mut pace = tokio::time::interval(PACE);
    let mut count = 0;
    loop {
        let now = pace.tick().await;
        if now >= end {
            return Ok(count);
        }
        count += u32::from(allowed(replica, key).await?);
    }
}

/// Makes one request. Returns whether it was let through.
async fn allowed(replica: &Client, key: &str) -> Result<bool> {
    let reply = replica.get("/v1/agents?limit=1").key(key).send().await?;
    ensure!(matches!(reply.status, 200 | 429), "answered {}: {}", reply.status, reply.json());
    Ok(reply.status == 200)
}
