//! The listener: connections, their limits in time, and their end.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderValue, Request, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::router::App;

/// The most open connections; further ones wait in the kernel's queue.
const CONNECTIONS: u32 = 20_000;
/// The time that a client may take to send a request's headers, and that a connection may idle
/// between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The time in which a client must take some of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a request's line and headers.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The time that the process still serves everybody once it is asked to stop. Each response then
/// says that its connection ends. Proxies keep connections and learn late that a replica leaves; if
/// connections were closed at once, requests that were just being sent would be lost.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// The time that connections without a request under way stay open after that, since the first
/// request of a new one may be on its way.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// The time that requests under way may still take once the process is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves the connections to `listener` until `stop`, then finishes the requests that began.
///
/// It serves HTTP/1.1 alone. Detecting HTTP/2 would wait, without a timeout, for the first 24
/// bytes: a client that sends none would hold its place forever. HTTP/2 is negotiated in TLS,
/// which ends at the proxy in front.
pub async fn accept(listener: TcpListener, app: App, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let drain = GracefulShutdown::new();
    let http = http();
    let left = async {
        stop.cancelled().await;
        tracing::info!("stopping: finishing what was begun");
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::pin!(left);
    loop {
        // In this order, connections in the kernel's queue are accepted before the listener closes.
        let (place, accepted) = tokio::select! {
            biased;
            both = async {
                let place = Arc::clone(&connections).acquire_owned().await;
                (place, listener.accept().await)
            } => both,
            () = &mut left => break,
        };
        let (Ok(place), accepted) = (place, accepted) else { break };
        match accepted {
            Ok((stream, peer)) => spawn(&http, &drain, &app, &stop, (stream, peer), place),
            Err(error) => {
                // For example out of file descriptors, which are free again when connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::select! {
                    () = &mut left => break,
                    () = tokio::time::sleep(Duration::from_millis(50)) => continue,
                }
            }
        }
    }
    drop(listener);
    let all_ended = tokio::time::timeout(IDLE_TIMEOUT, connections.acquire_many(CONNECTIONS)).await;
    if all_ended.is_err() && tokio::time::timeout(DRAIN_TIMEOUT, drain.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEADER_BYTES);
    http
}

/// Serves one connection in a task of its own, which holds its place until it ends.
fn spawn(
    http: &http1::Builder,
    drain: &GracefulShutdown,
    app: &App,
    stop: &CancellationToken,
    (stream, peer): (TcpStream, SocketAddr),
    place: OwnedSemaphorePermit,
) {
    // Responses go out as they are written: Nagle's algorithm would hold small ones back.
    let _ = stream.set_nodelay(true);
    let (app, stop) = (app.clone(), stop.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (answering, stop) = (app.clone().call(request), stop.clone());
        async move {
            let mut response = answering.await?;
            if stop.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let connection = drain.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
    tokio::spawn(async move {
        // A client that breaks the protocol or goes away is not worth a log line.
        let _ = connection.await;
        drop(place);
    });
}

/// Listens on `port` of every address, IPv6 and IPv4 alike, since private networks may be IPv6
/// only. On a machine without IPv6, listens on IPv4.
///
/// # Errors
/// Fails on a port that is taken or not allowed.
pub fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let dual = bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into());
    let socket = match dual {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    };
    let refused = |error| anyhow::anyhow!("PORT held \"{port}\", which cannot be listened on: {error}");
    Ok(TcpListener::from_std(socket.map_err(refused)?.into())?)
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
