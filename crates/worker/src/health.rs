//! The worker's health listener: `/health/live` and `/health/ready`, for the platform.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::{
    Json, Router, extract,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::state::State;

/// Listens on `port` of every address, IPv6 and IPv4, or IPv4 only if the machine has no IPv6.
///
/// # Errors
/// Fails when the port cannot be listened on.
pub(crate) async fn bind(port: u16) -> std::io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        bound => bound,
    }
}

/// Serves until `stop`.
pub(crate) async fn serve(listener: TcpListener, state: State, stop: CancellationToken) {
    let router = Router::new()
        .route("/health/live", get(|| async { answer(StatusCode::OK, "ok", "alive") }))
        .route("/health/ready", get(ready))
        .with_state(state);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the health listener failed");
    }
}

async fn ready(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let phase = state.phase();
    if phase.is_ready() {
        answer(StatusCode::OK, "ok", phase.as_str())
    } else {
        answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable", phase.as_str())
    }
}

fn answer(status: StatusCode, health: &'static str, phase: &'static str) -> impl IntoResponse {
    let body = serde_json::json!({ "status": health, "phase": phase });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body))
}
