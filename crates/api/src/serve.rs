//! The listener: who may connect, for how long, and how it all ends.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use adapters::Adapters;
use axum::{
    Router,
    extract::ConnectInfo,
    http::{HeaderValue, Request, header},
};
use domain::{
    agents::Directory,
    identity::{access_token::AccessTokens, passkeys::RelyingParty, password::Passwords},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use kernel::{Clock, Code, Core, Ids, idempotency::Sealer, signature::Origin};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::Service;
use vault::{Appender, Vault, Witness};

use crate::{
    COMMIT, VERSION,
    auth::Credentials,
    config::Config,
    edge,
    router::router,
    state::{About, AppState, Shared},
};

/// How many connections are open at once; further ones wait in the kernel's queue.
const CONNECTIONS: u32 = 20_000;
/// How many exports are under way at once.
const EXPORTS: usize = 16;
/// How long a client may take to send a request's headers; as long may a connection idle between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take no byte of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a request's line and headers.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// How long the process still serves all comers once it is asked to stop, and says in each answer that the connection ends with it. Proxies keep
/// connections and learn late who leaves: closed at once, a connection takes a request that was just being sent along.
const LEAVING: Duration = Duration::from_secs(1);
/// How long connections without a request under way are kept open after that: on one just made, the first may be on its way.
const LINGER: Duration = Duration::from_secs(1);
/// How long requests that are being worked on may still take when the process is asked to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// How often witnesses are asked whether the vault was rolled back.
const ROLLBACK_CHECK: Duration = Duration::from_secs(60);
/// How long witnesses are waited for at the start, all at once, while nothing is sealed; one that does not answer by then keeps nobody from sealing.
const AT_START: Duration = Duration::from_secs(3);
/// The same later, when nobody waits.
const LATER: Duration = Duration::from_secs(10);
/// How long connections may take to say goodbye to Postgres.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves on `listener` until `stop`, then finishes what was begun. Starts and keeps running whether or not Postgres is there: until it is,
/// every route says so at once.
///
/// # Errors
/// Settings that nothing can be made from.
pub async fn serve(config: Config, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    serve_at(config, listener, stop, Clock::system()).await
}

/// [`serve`], by a clock of the caller's: for tests.
///
/// # Errors
/// As [`serve`].
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
    tracing::info!(address = %listener.local_addr()?, environment = %config.dependencies.environment, "listening");
    accept(listener, router(state, &config.cors_origins), stop).await;
    adapters.close().await;
    // A frozen Postgres would be waited for until it thaws.
    let _ = tokio::time::timeout(FAREWELL, db.pool().close()).await;
    tracing::info!("stopped");
    Ok(())
}

/// Asks the witnesses at the start, since nothing is signed before, and then once a minute, whether the database has what was signed.
async fn watch_for_rollback(vault: Vault, witnesses: Vec<Arc<dyn Witness>>, stop: CancellationToken) {
    let mut patience = AT_START;
    loop {
        let checked = vault.check_rollback(&witnesses, patience).await;
        metrics::gauge!("holdfast_vault_signs").set(f64::from(u8::from(vault.signs())));
        let wait = match checked {
            Err(error) if error.code() != Code::LogBehind => Duration::from_secs(1),
            Ok(_) | Err(_) => {
                patience = LATER;
                ROLLBACK_CHECK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Brings up what handlers share. Waits for nothing: what is away is used when it appears.
pub(crate) fn assemble(config: &Config, clock: Clock, stop: CancellationToken) -> anyhow::Result<(AppState, Adapters)> {
    let party =
        RelyingParty::new(&config.dependencies.app_url, &config.dependencies.app_name).map_err(anyhow::Error::msg)?;
    let db = config.dependencies.database();
    let adapters = adapters::connect(config.dependencies.connections(), db.clone(), clock.clone());
    let core = Core {
        db: db.clone(),
        clock: clock.clone(),
        ids: Ids::new(clock.clone()),
        wake: Arc::clone(&adapters.wake) as _,
    };
    let keys = config.jwt_signing_key.reveal();
    let tokens = AccessTokens::new(keys, &config.public_url());
    let vault = config.vault.vault(core.clone(), &config.public_url(), &config.dependencies.vault_witnesses);
    let state = AppState::from(Shared {
        credentials: Credentials::new(core.clone(), tokens.clone()),
        party,
        passwords: Passwords::new(&core.ids),
        agents: Directory::new(db),
        core,
        tokens,
        sealer: Sealer::new(|purpose| keys.derive(purpose)),
        appender: Appender::new(vault.clone()),
        vault,
        origin: Arc::new(Origin::of(&config.public_url())),
        health: adapters.health.clone(),
        limiter: adapters.rate.clone(),
        about: Arc::new(About {
            environment: config.dependencies.environment,
            started: Instant::now(),
            version: VERSION,
            commit: COMMIT,
            rate_limit: config.rate_limit_per_minute,
            auth_rate_limit: config.auth_rate_limit,
            trusted_proxy_depth: config.trusted_proxy_depth,
            cookie_origins: config.cookie_origins(),
            webhook_public_key: config.dependencies.webhook_signing_key.reveal().public(),
        }),
        polls: Default::default(),
        exports: Arc::new(Semaphore::new(EXPORTS)),
        stop,
    });
    Ok((state, adapters))
}

/// HTTP/1.1 alone. Telling HTTP/2 from it waits, without a timeout, for the first 24 bytes: a client that sends none would hold its place for
/// ever. HTTP/2 is negotiated in TLS, which ends at the proxy in front.
async fn accept(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let drain = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEADER_BYTES);
    let left = async {
        stop.cancelled().await;
        tracing::info!("stopping: finishing what was begun");
        tokio::time::sleep(LEAVING).await;
    };
    tokio::pin!(left);
    loop {
        // Asked in this order, whoever waits in the kernel's queue is let in before the door closes.
        let (place, accepted) = tokio::select! {
            biased;
            both = async {
                let place = Arc::clone(&connections).acquire_owned().await;
                (place, listener.accept().await)
            } => both,
            () = &mut left => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, say: what holds them will end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::select! {
                    () = &mut left => break,
                    () = tokio::time::sleep(Duration::from_millis(50)) => continue,
                }
            }
        };
        // Answers go out as they are written: Nagle's algorithm would hold small ones back.
        let _ = stream.set_nodelay(true);
        let (router, stop) = (router.clone(), stop.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (answering, stop) = (router.clone().call(request), stop.clone());
            async move {
                let mut answer = answering.await?;
                if stop.is_cancelled() {
                    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = drain.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // A client that breaks the protocol or goes away is no news.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let all_ended = tokio::time::timeout(LINGER, connections.acquire_many(CONNECTIONS)).await;
    if all_ended.is_err() && tokio::time::timeout(DRAIN, drain.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

/// Listens on `port` of every address, IPv6 and IPv4 alike: private networks may be IPv6 only. On a machine without IPv6, on IPv4.
///
/// # Errors
/// A port that is taken or not allowed.
pub fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let dual = bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into());
    let socket = match dual {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    };
    let socket =
        socket.map_err(|error| anyhow::anyhow!("PORT held \"{port}\", which cannot be listened on: {error}"))?;
    Ok(TcpListener::from_std(socket.into())?)
}

fn bind(domain: Domain, address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket)
}
