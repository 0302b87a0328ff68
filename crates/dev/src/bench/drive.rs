//! Does one thing again and again on many connections, and counts.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, task::JoinSet};

/// The counts of one load.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Counted {
    /// All requests, including those of the warm-up.
    pub requests: u64,
    /// The requests per second.
    pub rate: f64,
    /// The median latency.
    pub p50_ms: f64,
    /// The latency that one in a hundred exceeds.
    pub p99_ms: f64,
}

/// Something that can be done again and again on one connection.
pub(super) trait RunOnce: Send + 'static {
    /// Does it once.
    fn run_once(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs `connections` tasks as fast as they can: a second to warm up, then `seconds` that count.
pub(super) async fn drive<S: RunOnce>(
    connections: usize,
    seconds: u64,
    make: impl AsyncFn(usize) -> Result<S>,
) -> Result<Counted> {
    let mut runs = Vec::with_capacity(connections);
    for number in 0..connections {
        runs.push(make(number).await?);
    }
    let warm = Instant::now() + Duration::from_secs(1);
    let end = warm + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for mut run in runs {
        tasks.spawn(async move {
            let mut latencies = Histogram::<u64>::new(3)?;
            let mut requests = 0;
            loop {
                let begun = Instant::now();
                if begun >= end {
                    return Ok::<_, anyhow::Error>((requests, latencies));
                }
                run.run_once().await?;
                requests += 1;
                if begun >= warm {
                    latencies.record(u64::try_from(begun.elapsed().as_micros())?)?;
                }
            }
        });
    }
    let (mut requests, mut all) = (0, Histogram::<u64>::new(3)?);
    while let Some(task) = tasks.join_next().await {
        let (made, latencies) = task??;
        requests += made;
        all.add(latencies)?;
    }
    let millis = |quantile| all.value_at_quantile(quantile) as f64 / 1e3;
    let rate = all.len() as f64 / seconds as f64;
    Ok(Counted { requests, rate, p50_ms: millis(0.5), p99_ms: millis(0.99) })
}

/// A connection that is kept: HTTP/1.1, without a pool, with as little work of a client as
/// possible.
pub(super) type Connection = SendRequest<Full<Bytes>>;

pub(super) async fn connect(address: SocketAddr) -> Result<Connection> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends `request`, reads the whole answer, and requires `status`.
pub(super) async fn exchange(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    status: u16,
) -> Result<()> {
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let got = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    ensure!(got == status, "answered {got} instead of {status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}
