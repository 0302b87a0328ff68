//! The process that makes load: told what to do by its arguments, it prints what it counted as one JSON object.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::Subcommand;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, task::JoinSet};

use super::{auth, intents, vault};

/// What to load, and how.
#[derive(Debug, Clone, Subcommand)]
pub enum Load {
    /// `GET` of one path, over and over, on each of a number of connections.
    Get {
        /// The server.
        address: SocketAddr,
        /// The path.
        path: String,
        /// How many connections.
        connections: usize,
        /// How long.
        seconds: u64,
        /// The API key to ask with.
        #[arg(long)]
        key: Option<String>,
    },
    /// One `SELECT` of an agent, by sqlx.
    Select {
        /// The database.
        url: String,
        /// The project.
        project: kernel::ids::ProjectId,
        /// The agent's DID.
        did: String,
        /// How many connections.
        connections: usize,
        /// How long.
        seconds: u64,
        /// In a transaction that assumes role and tenant, as the product's does.
        #[arg(long)]
        as_tenant: bool,
    },
    /// Intents over HTTP, signed beforehand.
    Intents {
        /// The server.
        address: SocketAddr,
        /// The project's key.
        key: String,
        /// How many connections, each with a sender of its own.
        connections: usize,
        /// How long.
        seconds: u64,
    },
    /// Seals over HTTP.
    Seals {
        /// The project's key.
        key: String,
        /// How many callers, each on a connection of its own.
        callers: usize,
        /// How long.
        seconds: u64,
        /// The replicas.
        addresses: Vec<SocketAddr>,
    },
    /// The same bytes as rows, by sqlx.
    Rows {
        /// The database.
        url: String,
        /// How many callers, who share connections.
        callers: usize,
        /// How long.
        seconds: u64,
        /// Each row with the hash of the one before.
        #[arg(long)]
        chained: bool,
    },
    /// The statements of an accepted intent, by sqlx.
    Statements {
        /// The database.
        url: String,
        /// The project.
        project: kernel::ids::ProjectId,
        /// How many connections.
        connections: usize,
        /// How long.
        seconds: u64,
    },
}

/// What one load counted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Counted {
    /// All requests, those of the warm-up included.
    pub requests: u64,
    /// Per second.
    pub rate: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// The latency that one in a hundred exceeds.
    pub p99_ms: f64,
}

impl Load {
    /// Makes the load in a process of its own.
    ///
    /// # Errors
    /// When it fails there.
    pub async fn in_own_process(&self) -> Result<Counted> {
        let output = tokio::process::Command::new(std::env::current_exe()?)
            .arg("load")
            .args(self.arguments())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(output.status.success(), "the load failed");
        serde_json::from_slice(&output.stdout).context("the load did not say what it counted")
    }

    fn arguments(&self) -> Vec<String> {
        match self {
            Load::Get { address, path, connections, seconds, key } => {
                let key = key.iter().map(|key| format!("--key={key}"));
                let fixed = [
                    "get".into(),
                    address.to_string(),
                    path.clone(),
                    connections.to_string(),
                    seconds.to_string(),
                ];
                fixed.into_iter().chain(key).collect()
            }
            Load::Select { url, project, did, connections, seconds, as_tenant } => {
                let fixed = ["select".into(), url.clone(), project.to_string(), did.clone()];
                let counts = [connections.to_string(), seconds.to_string()];
                fixed.into_iter().chain(counts).chain(as_tenant.then(|| "--as-tenant".to_owned())).collect()
            }
            Load::Intents { address, key, connections, seconds } => {
                vec![
                    "intents".into(),
                    address.to_string(),
                    key.clone(),
                    connections.to_string(),
                    seconds.to_string(),
                ]
            }
            Load::Seals { addresses, key, callers, seconds } => {
                let fixed = ["seals".into(), key.clone(), callers.to_string(), seconds.to_string()];
                fixed.into_iter().chain(addresses.iter().map(SocketAddr::to_string)).collect()
            }
            Load::Rows { url, chained, callers, seconds } => {
                let fixed = ["rows".into(), url.clone(), callers.to_string(), seconds.to_string()];
                fixed.into_iter().chain(chained.then(|| "--chained".to_owned())).collect()
            }
            Load::Statements { url, project, connections, seconds } => {
                vec![
                    "statements".into(),
                    url.clone(),
                    project.to_string(),
                    connections.to_string(),
                    seconds.to_string(),
                ]
            }
        }
    }

    /// Makes the load here.
    ///
    /// # Errors
    /// The first request that fails: what is measured must work.
    pub async fn run(self) -> Result<Counted> {
        match self {
            Load::Get { address, path, connections, seconds, key } => {
                let key = key.map(|key| format!("Bearer {key}"));
                let request = Arc::new((path, key));
                drive(connections, seconds, async |_| {
                    Ok(Getter { connection: connect(address).await?, address, request: Arc::clone(&request) })
                })
                .await
            }
            Load::Select { url, project, did, connections, seconds, as_tenant } => {
                auth::by_sqlx(&url, project, &did, as_tenant, connections, seconds).await
            }
            Load::Intents { address, key, connections, seconds } => {
                intents::over_http(address, &key, connections, seconds).await
            }
            Load::Seals { addresses, key, callers, seconds } => {
                vault::over_http(&addresses, &key, callers, seconds).await
            }
            Load::Rows { url, chained, callers, seconds } => {
                vault::by_sqlx(&url, chained, callers, seconds).await
            }
            Load::Statements { url, project, connections, seconds } => {
                intents::by_sqlx(&url, project, connections, seconds).await
            }
        }
    }
}

/// Something that can be done again and again on one connection.
pub(super) trait Stroke: Send + 'static {
    /// Does it once.
    fn stroke(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// `connections` tasks stroke as fast as they can: a second to warm up, then `seconds` that count.
pub(super) async fn drive<S: Stroke>(
    connections: usize,
    seconds: u64,
    make: impl AsyncFn(usize) -> Result<S>,
) -> Result<Counted> {
    let mut strokes = Vec::with_capacity(connections);
    for number in 0..connections {
        strokes.push(make(number).await?);
    }
    let warm = Instant::now() + Duration::from_secs(1);
    let end = warm + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for mut stroke in strokes {
        tasks.spawn(async move {
            let mut latencies = Histogram::<u64>::new(3)?;
            let mut requests = 0;
            loop {
                let begun = Instant::now();
                if begun >= end {
                    return Ok::<_, anyhow::Error>((requests, latencies));
                }
                stroke.stroke().await?;
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

/// A connection that is kept: HTTP/1.1, no pool, as little of a client's own work as can be.
pub(super) type Connection = SendRequest<Full<Bytes>>;

pub(super) async fn connect(address: SocketAddr) -> Result<Connection> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends `request`, reads the whole answer, and insists on `status`.
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

struct Getter {
    connection: Connection,
    address: SocketAddr,
    /// The path, and the value of `Authorization`.
    request: Arc<(String, Option<String>)>,
}

impl Stroke for Getter {
    async fn stroke(&mut self) -> Result<()> {
        let (path, authorization) = &*self.request;
        let mut request = Request::get(path).header("host", self.address.to_string());
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::default())?;
        exchange(&mut self.connection, request, 200).await
    }
}
