//! The commands of the binary.

mod bootstrap;
mod migrate;
mod print;
mod secret;
mod vault;

use std::process::ExitCode;

use adapters::{settings, telemetry};
use clap::{CommandFactory, Parser, Subcommand};
use domain::mail::Email;
use kernel::{Clock, Ids, ids::ProjectId};
use tokio_util::sync::CancellationToken;

use self::{
    print::{print, print_error},
    secret::Secret,
};
use crate::{build::VERSION, config::Config, listener, router, serve};

/// Holdfast's API. Without a command it serves. Configured by environment variables.
#[derive(Debug, Parser)]
#[command(name = "api", version, after_long_help = variables())]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database's schema up to date. Safe to run from several places at once.
    Migrate {
        /// Change nothing; exit with 1 when migrations are due.
        #[arg(long)]
        check: bool,
    },
    /// Create a project and its first API key, which is shown once.
    Bootstrap {
        /// The project's name.
        #[arg(long, default_value = "First project")]
        name: String,
    },
    /// Make an account the owner of a bootstrapped project's organization, which has none.
    Adopt {
        /// The project, prj_….
        #[arg(long)]
        project: ProjectId,
        /// The address of the account, which is verified.
        #[arg(long)]
        email: Email,
    },
    /// Generate a secret.
    Keygen {
        #[command(subcommand)]
        secret: Secret,
    },
    /// Check and maintain the vault.
    Vault {
        #[command(subcommand)]
        command: vault::VaultCommand,
    },
    /// Print the OpenAPI document.
    Openapi,
}

/// Runs the program: reads its arguments and environment, and returns its exit code. Prints what is
/// wrong in one line.
pub fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

/// Runs as [`main`] does, with the given arguments, the first of which is the program's name.
pub fn run(arguments: Vec<std::ffi::OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(message) => {
            let _ = message.print();
            return ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2));
        }
    };
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Option<Command>) -> anyhow::Result<ExitCode> {
    match command {
        Some(Command::Keygen { secret }) => {
            let text = secret.generate(&Ids::new(Clock::system()));
            print(&text);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Openapi) => {
            print(&router::document().to_pretty_json()?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Migrate { check }) => {
            with_runtime(&[], async move |config| migrate::migrate(&config, check).await)
        }
        Some(Command::Bootstrap { name }) => {
            with_runtime(&[], async move |config| bootstrap::bootstrap(&config, &name).await)
        }
        Some(Command::Adopt { project, email }) => {
            with_runtime(&[], async move |config| bootstrap::adopt(&config, project, &email).await)
        }
        Some(Command::Vault { command: vault::VaultCommand::Fsck(options) }) => {
            // 1 means that something was found.
            let needed = [Secret::Vault, Secret::Kek];
            Ok(with_runtime(&needed, async move |config| vault::fsck(&config, &options).await)
                .unwrap_or_else(|error| {
                    print_error(&error);
                    ExitCode::from(vault::NOT_DONE)
                }))
        }
        Some(Command::Vault { command: vault::VaultCommand::Rewrap }) => {
            Ok(with_runtime(&[Secret::Kek], async move |config| vault::rewrap(&config).await).unwrap_or_else(
                |error| {
                    print_error(&error);
                    ExitCode::from(vault::NOT_DONE)
                },
            ))
        }
        None => with_runtime(&Secret::ALL, until_told_to_stop),
    }
}

/// Runs `work` with the configuration of the environment. Secrets that the work does not need may
/// be missing: an operator who migrates, or checks a log, should not need the keys that people log
/// in with. New ones take their place, which sign and decrypt nothing.
fn with_runtime(
    needed: &[Secret],
    work: impl AsyncFnOnce(Config) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let ids = Ids::new(Clock::system());
    let mut variables: Vec<(String, String)> = settings::environment().into_iter().collect();
    for secret in Secret::ALL.into_iter().filter(|secret| !needed.contains(secret)) {
        if !variables.iter().any(|(name, _)| name == secret.variable()) {
            variables.push((secret.variable().to_owned(), secret.generate(&ids)));
        }
    }
    let config = Config::from_pairs(variables)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let _telemetry = telemetry::install(&config.dependencies, VERSION)?;
        config.dependencies.check_hosts()?;
        work(config).await
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ended
}

async fn until_told_to_stop(config: Config) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    let listener = listener::listen(config.port)?;
    tokio::spawn(telemetry::stop_on_signal(stop.clone()));
    serve::serve(config, listener, stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the variables and what they mean, for `--help`.
fn variables() -> String {
    settings::describe(&Config::command())
}
