//! `cargo dev bench`, and the processes it starts.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::bench;
use testkit::print;

/// The arguments of `cargo dev bench`.
#[derive(Debug, Clone, Args)]
pub(super) struct BenchArgs {
    /// The benchmark; without it, all are listed.
    name: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Parts of a benchmark that run in processes of their own.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Part {
    /// Make load.
    #[command(subcommand, hide = true)]
    Load(bench::Load),
    /// Serve the bare route.
    #[command(hide = true)]
    Bare {
        /// The address.
        address: SocketAddr,
    },
}

/// Runs a benchmark; exits with 1 when a case misses its bar.
pub(super) async fn run(arguments: BenchArgs) -> Result<ExitCode> {
    let Some(name) = arguments.name else {
        for (name, what) in bench::NAMES {
            print::line(format!("{name:<10} {what}"));
        }
        return Ok(ExitCode::SUCCESS);
    };
    bench::in_release_build()?;
    let report = bench::run(&name).await?;
    print::line(if arguments.json { serde_json::to_string(&report)? } else { report.to_string() });
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one part.
pub(super) async fn play(part: Part) -> Result<ExitCode> {
    match part {
        Part::Load(load) => print::line(serde_json::to_string(&bench::play(load).await?)?),
        Part::Bare { address } => bench::serve_bare(address).await?,
    }
    Ok(ExitCode::SUCCESS)
}
