//! `cargo dev …`.

mod bench;
mod services;

use std::{future::Future, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    say,
    services::{Options, Services},
};

/// Holdfast on this machine: `cargo dev` runs it with private Postgres, Valkey and NATS.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Only the services; prints `export …` lines for a shell and waits for Ctrl-C.
    Services(ServiceArgs),
    /// Measure the product beside its baseline; without a name, list the benchmarks.
    Bench(bench::BenchArgs),
    #[command(flatten)]
    Part(bench::Part),
}

/// Which services, and where.
#[derive(Debug, Clone, Default, Args)]
struct ServiceArgs {
    /// Keep the services' data in this folder, and find them again next time; else they are temporary.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Neither Valkey nor NATS: Holdfast works without them.
    #[arg(long)]
    only_postgres: bool,
}

impl ServiceArgs {
    async fn start(&self) -> Result<Services> {
        let options = Options { data: self.data.clone(), accelerators: !self.only_postgres, ..Options::durable() };
        Services::start(options).await
    }
}

/// Runs the command that `argv` names.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            say::warn(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Some(Command::Services(arguments)) => Box::pin(services::run(arguments)).await,
        Some(Command::Bench(arguments)) => Box::pin(bench::run(arguments)).await,
        Some(Command::Part(part)) => Box::pin(bench::play(part)).await,
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Ctrl-C, or SIGTERM, or a terminal that was closed. The signals are caught from this call on.
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
