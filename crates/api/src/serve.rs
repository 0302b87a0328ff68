//! Serves: puts the state of handlers together, and opens the listener.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use adapters::Adapters;
use domain::{
    agents::Directory,
    identity::{access_token::AccessTokens, passkeys::RelyingParty, password::Passwords},
};
use kernel::{Clock, Code, Core, signature::Origin};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use vault::{Appender, Vault, Witness};

use crate::{
    auth::{Cached, Credentials},
    build::{COMMIT, VERSION},
    config::Config,
    edge, listener,
    router::app,
    state::{About, AppState, Shared},
};

/// The most exports under way at once.
const EXPORTS: usize = 16;
/// The time between checks with witnesses that the vault was not rolled back.
const ROLLBACK_CHECK: Duration = Duration::from_secs(60);
/// The time that witnesses have to answer at the start, all at once, while nothing is sealed. After
/// it, one that does not answer no longer delays sealing.
const FIRST_TIMEOUT: Duration = Duration::from_secs(3);
/// The same for later checks, when nothing waits.
const LATER_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that connections have to say goodbye to Postgres.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Serves on `listener` until `stop`, then finishes the requests that began. Starts and keeps
/// running whether or not Postgres is there; while it is away, every route reports that at once.
///
/// # Errors
/// Fails on settings that cannot be used.
pub async fn serve(config: Config, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    serve_at(config, listener, stop, Clock::system()).await
}

/// Serves as [`serve`] does, by the clock of a test.
///
/// # Errors
/// Fails as [`serve`] does.
pub async fn serve_at(
    config: Config,
    listener: TcpListener,
    stop: CancellationToken,
    clock: Clock,
) -> anyhow::Result<()> {
    let (state, adapters) = assemble(&config, clock, stop.clone())?;
    let db = state.core.db.clone();
    let witnesses = config.dependencies.vault_witnesses.clients().map_err(anyhow::Error::msg)?;
    tokio::spawn(watch_for_rollback(state.vault.clone(), witnesses, stop.clone()));
    edge::describe_metrics();
    let environment = config.dependencies.environment;
    tracing::info!(address = %listener.local_addr()?, %environment, "listening");
    listener::accept(listener, app(state, &config.cors_origins), stop).await;
    adapters.close().await;
    // The timeout is for a frozen Postgres, which would be waited for until it thaws.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, db.pool().close()).await;
    tracing::info!("stopped");
    Ok(())
}

/// Asks the witnesses at the start, since nothing is signed before, and then once a minute, whether
/// the database has everything that was signed.
async fn watch_for_rollback(vault: Vault, witnesses: Vec<Arc<dyn Witness>>, stop: CancellationToken) {
    let mut timeout = FIRST_TIMEOUT;
    loop {
        let checked = vault.check_rollback(&witnesses, timeout).await;
        metrics::gauge!("holdfast_vault_signs").set(f64::from(u8::from(vault.signs())));
        let wait = match checked {
            Err(error) if error.code() != Code::LogBehind => Duration::from_secs(1),
            Ok(_) | Err(_) => {
                timeout = LATER_TIMEOUT;
                ROLLBACK_CHECK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Puts the state of handlers together. Waits for nothing: a dependency that is away is used when
/// it appears.
pub(crate) fn assemble(
    config: &Config,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<(AppState, Adapters)> {
    let dependencies = &config.dependencies;
    let party =
        RelyingParty::new(&dependencies.app_url, &dependencies.app_name).map_err(anyhow::Error::msg)?;
    let db = dependencies.database();
    let adapters = adapters::connect(dependencies.connections(), db.clone(), clock.clone());
    let cached = Cached::default();
    let core = Core::new(db.clone(), clock, dependencies.secrets())
        .with_wake(Arc::clone(&adapters.wake) as _)
        .with_credentials(Arc::new(cached.clone()));
    let public_url = config.public_url();
    let tokens = AccessTokens::new(config.jwt_signing_key.reveal(), &public_url);
    let vault = config.vault.vault(core.clone(), &public_url, &dependencies.vault_witnesses);
    let state = AppState::from(Shared {
        credentials: Credentials::new(core.clone(), tokens.clone(), cached),
        party,
        passwords: Passwords::new(&core.ids),
        agents: Directory::new(db),
        core,
        tokens,
        appender: Appender::new(vault.clone()),
        vault,
        origin: Origin::of(&public_url),
        health: adapters.health.clone(),
        limiter: adapters.rate.clone(),
        about: About {
            environment: dependencies.environment,
            started: Instant::now(),
            version: VERSION,
            commit: COMMIT,
            rate_limit: config.rate_limit_per_minute,
            auth_rate_limit: config.auth_rate_limit,
            trusted_proxy_depth: config.trusted_proxy_depth,
            cookie_origins: config.cookie_origins(),
            webhook_public_key: dependencies.webhook_signing_key.reveal().public(),
        },
        polls: Default::default(),
        exports: Arc::new(Semaphore::new(EXPORTS)),
        stop,
    });
    Ok((state, adapters))
}
