//! What the binary can be told to do.

mod bootstrap;
mod migrate;
mod vault;

use std::{io::Write, process::ExitCode};

use ::vault::{note::VaultKeys, personal::Keks};
use adapters::{settings, telemetry, webhook::WebhookKey};
use clap::{CommandFactory, Parser, Subcommand};
use domain::{identity::access_token::TokenKeys, mail::Email};
use kernel::{Clock, Ids, ids::ProjectId};
use tokio_util::sync::CancellationToken;

use crate::{VERSION, config::Config, router, serve};

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
    /// Make a project and its first API key, which is shown once.
    Bootstrap {
        /// The project's name.
        #[arg(long, default_value = "First project")]
        name: String,
    },
    /// Make an account the owner of a bootstrapped project's organisation, which has none.
    Adopt {
        /// The project, prj_….
        #[arg(long)]
        project: ProjectId,
        /// The address of the account, which is verified.
        #[arg(long)]
        email: Email,
    },
    /// Make a secret.
    Keygen {
        #[command(subcommand)]
        secret: Secret,
    },
    /// Look after the vault.
    Vault {
        #[command(subcommand)]
        command: vault::VaultCommand,
    },
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
enum Secret {
    /// The key for WEBHOOK_SIGNING_KEY.
    Webhook,
    /// The key for JWT_SIGNING_KEY.
    Jwt,
    /// The key for VAULT_SIGNING_KEY.
    Vault,
    /// The key for VAULT_KEK.
    Kek,
}

impl Secret {
    const ALL: [Secret; 4] = [Secret::Webhook, Secret::Jwt, Secret::Vault, Secret::Kek];

    fn variable(self) -> &'static str {
        match self {
            Secret::Webhook => "WEBHOOK_SIGNING_KEY",
            Secret::Jwt => "JWT_SIGNING_KEY",
            Secret::Vault => "VAULT_SIGNING_KEY",
            Secret::Kek => "VAULT_KEK",
        }
    }

    fn generate(self, ids: &Ids) -> String {
        match self {
            Secret::Webhook => WebhookKey::generate(ids).reveal(),
            Secret::Jwt => TokenKeys::generate(ids).reveal(),
            Secret::Vault => VaultKeys::generate(ids).reveal(),
            Secret::Kek => Keks::generate(ids).reveal(),
        }
    }
}

/// Runs the program: reads its arguments and environment, and returns how it ended. What is wrong is told in one line.
pub fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

/// [`main`], with arguments of the caller's; the first is the program's name.
pub fn run(arguments: Vec<std::ffi::OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(told) => {
            let _ = told.print();
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn complain(error: &anyhow::Error) {
    let line = format!("{error:#}").replace('\n', " ");
    tell(&mut std::io::stderr(), &format!("api: {}", telemetry::redact(&line)));
}

fn execute(command: Option<Command>) -> anyhow::Result<ExitCode> {
    match command {
        Some(Command::Keygen { secret }) => {
            let text = secret.generate(&Ids::new(Clock::system()));
            tell(&mut std::io::stdout(), &text);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Openapi) => {
            tell(&mut std::io::stdout(), &router::document().to_pretty_json()?);
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
        Some(Command::Vault { command: vault::VaultCommand::Fsck(asked) }) => {
            // 1 says that something was found.
            let needed = [Secret::Vault, Secret::Kek];
            Ok(with_runtime(&needed, async move |config| vault::fsck(&config, &asked).await).unwrap_or_else(|error| {
                complain(&error);
                ExitCode::from(vault::NOT_DONE)
            }))
        }
        Some(Command::Vault { command: vault::VaultCommand::Rewrap }) => {
            Ok(with_runtime(&[Secret::Kek], async move |config| vault::rewrap(&config).await).unwrap_or_else(|error| {
                complain(&error);
                ExitCode::from(vault::NOT_DONE)
            }))
        }
        None => with_runtime(&Secret::ALL, until_told_to_stop),
    }
}

/// Secrets that the work does not need may be missing: whoever migrates, or checks a log, is not to be handed the keys that people log in by. In their place
/// stand new ones, by which nothing is signed or opened.
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
    let listener = serve::listen(config.port)?;
    tokio::spawn(telemetry::stop_on_signal(stop.clone()));
    serve::serve(config, listener, stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// Standard output and error are this program's answers, not its logs.
fn tell(to: &mut impl Write, line: &str) {
    // Whoever would read it is gone.
    let _ = writeln!(to, "{line}");
}

/// The variables and what they mean, for `--help`.
fn variables() -> String {
    settings::describe(&Config::command())
}
