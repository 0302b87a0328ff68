//! The cost of the layers around every handler: `/health/live` against a bare axum route, and the
//! memory of an idle process.

use std::time::Duration;

use anyhow::Result;
use axum::{Router, routing::get};

use super::{
    drive::Counted,
    load::Load,
    product::{Product, free_address, median},
    report::{Case, Report},
};

const CONNECTIONS: usize = 32;
const SECONDS: u64 = 3;
const ROUNDS: usize = 5;

pub(super) async fn run() -> Result<Report> {
    let product = Product::start().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = product.rss_mib()?;
    let bare = free_address()?;
    let mut bare_server = tokio::process::Command::new(std::env::current_exe()?)
        .args(["bare", &bare.to_string()])
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::sleep(Duration::from_millis(300)).await;

    let measure = async |address| {
        let load = Load::Get {
            address,
            path: "/health/live".to_owned(),
            connections: CONNECTIONS,
            seconds: SECONDS,
            key: None,
        };
        load.in_own_process().await
    };
    let (mut ours, mut theirs): (Vec<Counted>, Vec<Counted>) = Default::default();
    for _ in 0..ROUNDS {
        theirs.push(measure(bare).await?);
        ours.push(measure(product.address).await?);
    }
    bare_server.kill().await?;

    let rates = |counted: &[Counted]| median(counted.iter().map(|counted| counted.rate).collect());
    let live = Case {
        p50_ms: Some(median(ours.iter().map(|counted| counted.p50_ms).collect())),
        p99_ms: Some(median(ours.iter().map(|counted| counted.p99_ms).collect())),
        rss_mib: Some(product.rss_mib()?),
        ..Case::ratio(
            format!("GET /health/live, {CONNECTIONS} connections"),
            rates(&ours),
            rates(&theirs),
            "req/s",
            Some(0.9),
        )
    };
    let cases = vec![
        live,
        Case::below("idle memory of api", idle, "MiB", 40.0),
        Case::below("ready after", product.ready_after.as_secs_f64() * 1e3, "ms", 500.0),
    ];
    Ok(Report { name: "health", cases })
}

/// Serves the baseline: axum with one route and no layers, with the same response.
///
/// # Errors
/// Fails when the address cannot be listened on.
pub async fn serve_bare(address: std::net::SocketAddr) -> Result<()> {
    let router = Router::new()
        .route("/health/live", get(|| async { axum::Json(serde_json::json!({ "status": "ok" })) }));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, router).await?)
}
