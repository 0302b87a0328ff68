//! The product under measurement: services, and the shipped `api` as a process whose memory can be
//! read.

use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use kernel::Clock;
use tokio::process::{Child, Command};

use super::release::release_binary;
use testkit::{Client, Services, services::Options};

/// The variable that limits each caller.
const RATE_LIMIT: &str = "RATE_LIMIT_PER_MINUTE";

/// A running `api` over services of its own.
pub(super) struct Product {
    /// The database that `api` uses.
    pub(super) database_url: String,
    /// The address that it listens on.
    pub(super) address: SocketAddr,
    /// The time from its start until it was ready.
    pub(super) ready_after: Duration,
    process: Child,
    variables: Vec<(&'static str, String)>,
    _services: Services,
}

/// Another `api` of the same product, on its database and its accelerators.
pub(super) struct Replica {
    /// The address that it listens on.
    pub(super) address: SocketAddr,
    process: Child,
}

impl Replica {
    /// Returns the process id of `api`.
    pub(super) fn pid(&self) -> Result<u32> {
        self.process.id().context("api has ended")
    }
}

impl Product {
    /// Starts Postgres as durable as in production, all accelerators, a migrated database, and
    /// `api` without rate limits.
    pub(super) async fn start() -> Result<Self> {
        Self::limited_to(0).await
    }

    /// Starts the same, with `rate` requests a minute for each caller.
    pub(super) async fn limited_to(rate: u32) -> Result<Self> {
        let services = Services::start(Options::durable()).await?;
        let database_url = services.postgres.create_database("holdfast").await?;
        let address = free_address()?;
        let mut variables = vec![
            ("DATABASE_URL", database_url.clone()),
            ("DATABASE_MAX_CONNECTIONS", "32".to_owned()),
            ("REDIS_URL", services.valkey()?.url()),
            ("NATS_URL", services.nats()?.url()),
            ("PUBLIC_URL", format!("http://{address}")),
            (RATE_LIMIT, rate.to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        variables.extend(crate::keys::keys());
        ensure!(api(&variables, address)?.arg("migrate").status().await?.success(), "`api migrate` failed");
        let begun = Instant::now();
        let process = api(&variables, address)?.spawn().context("api does not start")?;
        let ready_after = until_ready(address, begun).await?;
        Ok(Self { database_url, address, ready_after, process, variables, _services: services })
    }

    /// Starts another replica beside it.
    pub(super) async fn replica(&self) -> Result<Replica> {
        replica(&self.variables).await
    }

    /// Starts another replica beside it, with `rate` requests a minute for each caller.
    pub(super) async fn replica_limited_to(&self, rate: u32) -> Result<Replica> {
        let mut variables = self.variables.clone();
        variables.retain(|(name, _)| *name != RATE_LIMIT);
        variables.push((RATE_LIMIT, rate.to_string()));
        replica(&variables).await
    }

    /// Returns the process id of `api`.
    pub(super) fn pid(&self) -> Result<u32> {
        self.process.id().context("api has ended")
    }

    /// Returns the resident memory of `api`, in MiB.
    pub(super) fn rss_mib(&self) -> Result<f64> {
        rss_mib(self.pid()?)
    }
}

async fn replica(variables: &[(&'static str, String)]) -> Result<Replica> {
    let address = free_address()?;
    let process = api(variables, address)?.spawn().context("api does not start")?;
    until_ready(address, Instant::now()).await?;
    Ok(Replica { address, process })
}

/// Returns the command of the shipped binary, about to listen on `address`.
fn api(variables: &[(&'static str, String)], address: SocketAddr) -> Result<Command> {
    let mut command = Command::new(release_binary("api")?);
    command.env_clear().envs(variables.iter().cloned()).env("PORT", address.port().to_string());
    command.stdout(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Watches the memory of a process while `work` runs. Returns the most that it held.
pub(super) async fn peak_rss<T>(
    product: &Product,
    work: impl Future<Output = Result<T>>,
) -> Result<(T, f64)> {
    let mut peak = product.rss_mib()?;
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok((done?, peak)),
            _ = tick.tick() => peak = peak.max(product.rss_mib()?),
        }
    }
}

fn rss_mib(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// Returns the CPU time that a process has used, in user and system mode.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    /// `USER_HZ`, which Linux has fixed for the numbers that it shows to programs.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before it is in parentheses, and may contain anything.
    let (_, fields) = stat.rsplit_once(')').context("no stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

async fn until_ready(address: SocketAddr, begun: Instant) -> Result<Duration> {
    let client = Client::new(format!("http://{address}").parse()?, Clock::system())?;
    while begun.elapsed() < Duration::from_secs(20) {
        if client.get("/health/ready").send().await.is_ok_and(|reply| reply.status == 200) {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("api was not ready within 20 s")
}

/// Returns an address on loopback that nobody listens on right now.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Returns the middle value.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
