//! `cargo dev …`.

mod asked_to_end;
mod bench;
mod service_args;
mod services;
mod tour;
mod up;

use std::{ffi::OsString, future::Future, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use testkit::print;

use service_args::ServiceArgs;

/// Holdfast on this machine, with a private Postgres, Valkey and NATS.
///
/// Where DATABASE_URL is set, that database is used and no service is started; REDIS_URL and
/// NATS_URL take the place of Valkey and NATS. Other variables of `api` and `worker` are handed on
/// to them.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    up: up::UpArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start only the services; print `export …` lines for a shell and wait for Ctrl-C.
    Services(ServiceArgs),
    /// Take one intent from end to end and check every step.
    Tour(tour::TourArgs),
    /// Measure the product beside its baseline; without a name, list the benchmarks.
    Bench(bench::BenchArgs),
    #[command(flatten)]
    Part(bench::Part),
    /// Run the `api` program, from the same build.
    #[command(hide = true, disable_help_flag = true)]
    Api(Arguments),
    /// Run the `worker` program, from the same build.
    #[command(hide = true, disable_help_flag = true)]
    Worker(Arguments),
}

/// The arguments that are passed on as they are.
#[derive(Debug, Args)]
struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        Some(Command::Api(program)) => return api::run(named("api", program)),
        Some(Command::Worker(program)) => return worker::run_with(named("worker", program)),
        Some(Command::Services(arguments)) => run(services::run(arguments)),
        Some(Command::Tour(arguments)) => run(tour::run(arguments)),
        Some(Command::Bench(arguments)) => run(bench::run(arguments)),
        Some(Command::Part(part)) => run(bench::play(part)),
        None => run(up::run(cli.up)),
    };
    ended.unwrap_or_else(|error| {
        print::warn(format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

fn named(name: &str, program: Arguments) -> Vec<OsString> {
    [OsString::from(name)].into_iter().chain(program.arguments).collect()
}

fn run(command: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
