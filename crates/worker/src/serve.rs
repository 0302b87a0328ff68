//! The program, from its start to its end.

use std::{io::Write, process::ExitCode, sync::Arc, time::Duration};

use adapters::{settings, telemetry, webhook::Webhooks};
use clap::{CommandFactory, Parser};
use kernel::{Clock, Core, Db};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{catalog, config::Config, context::Context, engine::Engine, health, state::State};

/// The connections for the queue's own statements, if there are enough: claiming, renewing,
/// settling, the lease and the schedule.
const QUEUE_CONNECTIONS: u32 = 6;

/// The timeout of closing the connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Holdfast's worker: runs jobs and periodic tasks. Configured by environment variables.
#[derive(Debug, Parser)]
#[command(name = "worker", version, after_long_help = settings::describe(&Config::command()))]
struct Cli {}

/// Runs the program with the configuration of its environment. Prints an error in one line.
pub fn main() -> ExitCode {
    run_with(std::env::args_os().collect())
}

/// Runs [`main`] with the caller's arguments; the first is the program's name.
pub fn run_with(arguments: Vec<std::ffi::OsString>) -> ExitCode {
    if let Err(message) = Cli::try_parse_from(arguments) {
        let _ = message.print();
        return ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2));
    }
    match until_told_to_stop() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").replace('\n', " ");
            // Nobody reads standard error any more.
            let _ = writeln!(std::io::stderr(), "worker: {}", telemetry::redact(&line));
            ExitCode::FAILURE
        }
    }
}

fn until_told_to_stop() -> anyhow::Result<()> {
    let config = Config::from_pairs(settings::environment())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let _telemetry = telemetry::install(&config.dependencies, env!("CARGO_PKG_VERSION"))?;
        config.dependencies.check_hosts()?;
        let stop = CancellationToken::new();
        tokio::spawn(telemetry::stop_on_signal(stop.clone()));
        let listener = health::bind(config.port).await.map_err(|error| {
            anyhow::anyhow!("PORT held \"{}\", which cannot be listened on: {error}", config.port)
        })?;
        work(config, Some(listener), State::new(), stop).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// Works until `stop`, without a health listener, for tests that run the worker in their own
/// process.
///
/// # Errors
/// Fails on settings from which a part cannot be built.
pub async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    work(config, None, State::new(), stop).await
}

async fn work(
    config: Config,
    listener: Option<TcpListener>,
    state: State,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let dependencies = &config.dependencies;
    let clock = Clock::system();
    let connections = dependencies.database_max_connections;
    let queue_connections = (connections / 3).clamp(1, QUEUE_CONNECTIONS);
    let db = Db::lazy(dependencies.database_url.options(), connections - queue_connections);
    let queue_db = Db::lazy(dependencies.database_url.options(), queue_connections);
    let adapters = adapters::connect(dependencies.connections(), db.clone(), clock.clone());
    let core = Core::new(db.clone(), clock, dependencies.secrets()).with_wake(adapters.wake.clone());
    let push = Webhooks::new(dependencies.webhook_signing_key.reveal().clone(), config.push_allow_private)?;

    let mailer = config.mail.mailer(dependencies.environment).map_err(anyhow::Error::msg)?;
    if mailer.is_none() {
        tracing::warn!("neither SMTP_URL nor RESEND_API_KEY is set: mail waits until one is");
    }

    let health = CancellationToken::new();
    let listening =
        listener.map(|listener| tokio::spawn(health::serve(listener, state.clone(), health.clone())));
    let engine = Engine {
        context: Context {
            vault: config.vault.vault(core.clone(), &config.public_url, &dependencies.vault_witnesses),
            witnesses: dependencies.vault_witnesses.clients().map_err(anyhow::Error::msg)?,
            core,
            push: Arc::new(push),
            mailer: mailer.map(Arc::from),
            app_url: dependencies.app_url.clone(),
            dead_job_retention: config.dead_job_retention(),
        },
        queue_db: queue_db.clone(),
        registry: Arc::new(catalog::jobs()),
        tasks: catalog::tasks(),
        concurrency: config.concurrency(),
        timing: config.timing,
        state,
    };
    tracing::info!(environment = %dependencies.environment, "worker started");
    engine.run(stop).await;

    health.cancel();
    // Does not wait for connections whose other end does not answer.
    let closed = async { tokio::join!(adapters.close(), queue_db.pool().close(), db.pool().close()) };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
    if let Some(listening) = listening {
        listening.abort();
    }
    tracing::info!("stopped");
    Ok(())
}
