//! `/v1/vault/logs/{log}`: the logs as everybody may read them, and caches may keep them (C2SP tlog-tiles).

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use kernel::{Code, Error, ids::LogId};
use utoipa_axum::{router::OpenApiRouter, routes};
use vault::{self, tile_path::TilePath};

use super::proofs::TEXT;
use crate::{extract::Path, problem::Problem, state::AppState};

/// What is there stays as it is.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The log grows on.
const FOR_SECONDS: HeaderValue = HeaderValue::from_static("public, max-age=2");
/// Keys are changed by hand, and the old ones stay for a while.
const FOR_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(checkpoint))
        .routes(routes!(policy))
        .routes(routes!(tile))
        // Partial tiles, and those whose number has more than three digits, have longer paths than OpenAPI can say.
        .route("/vault/logs/{log}/tile/{level}/{tile}/{*rest}", get(longer))
}

/// Get a log's checkpoint
///
/// The signed size and root of the log as it now is (C2SP tlog-checkpoint).
#[utoipa::path(
    get,
    path = "/vault/logs/{log}/checkpoint",
    tag = "vault",
    params(("log" = LogId, Path, description = "The log")),
    responses((status = 200, description = "The checkpoint", body = String, content_type = "text/plain", headers(("Cache-Control" = String, description = "public, for 2 seconds")))),
)]
async fn checkpoint(State(state): State<AppState>, Path(log): Path<LogId>) -> Result<Response, Problem> {
    let note = vault::checkpoint(&state.vault, log).await?;
    Ok(public(TEXT, FOR_SECONDS, note))
}

/// Get a log's policy
///
/// The keys that its checkpoints are to be checked under (C2SP tlog-policy). Keep a copy elsewhere: who trusts only this answer trusts the server.
#[utoipa::path(
    get,
    path = "/vault/logs/{log}/policy",
    tag = "vault",
    params(("log" = LogId, Path, description = "The log")),
    responses((status = 200, description = "The policy", body = String, content_type = "text/plain", headers(("Cache-Control" = String, description = "public, for 5 minutes")))),
)]
async fn policy(State(state): State<AppState>, Path(log): Path<LogId>) -> Result<Response, Problem> {
    let policy = state.vault.policy(log);
    Ok(public(TEXT, FOR_MINUTES, policy))
}

/// Get a tile of a log
///
/// 256 hashes of a level, or of level `entries` 256 entries, each behind its length in two bytes. The number has three digits; a larger one is written in groups,
/// as `x001/234`, and a tile that is not full yet has `.p/` and its width behind it (C2SP tlog-tiles).
#[utoipa::path(
    get,
    path = "/vault/logs/{log}/tile/{level}/{tile}",
    tag = "vault",
    params(
        ("log" = LogId, Path, description = "The log"),
        ("level" = String, Path, max_length = 7, pattern = "^([0-7]|entries)$", description = "The level of hashes, or `entries`"),
        ("tile" = String, Path, max_length = 3, pattern = "^[0-9]{3}$", description = "The tile's number"),
    ),
    responses((status = 200, description = "The tile", body = Vec<u8>, content_type = "application/octet-stream", headers(("Cache-Control" = String, description = "public and immutable")))),
)]
async fn tile(
    State(state): State<AppState>,
    Path((log, level, tile)): Path<(LogId, String, String)>,
) -> Result<Response, Problem> {
    serve(&state, log, &format!("{level}/{tile}")).await
}

async fn longer(
    State(state): State<AppState>,
    Path((log, level, tile, rest)): Path<(LogId, String, String, String)>,
) -> Result<Response, Problem> {
    serve(&state, log, &format!("{level}/{tile}/{rest}")).await
}

async fn serve(state: &AppState, log: LogId, path: &str) -> Result<Response, Problem> {
    let path: TilePath = path.parse().map_err(|error| Error::new(Code::NotFound, format!("The path {error}")))?;
    let bytes = match path.level {
        Some(level) => vault::tile(&state.vault, log, level, path.n, path.width).await?,
        None => vault::bundle(&state.vault, log, path.n, path.width).await?,
    };
    Ok(public(BYTES, FOR_EVER, bytes))
}

/// What is for everybody, and for the pages of everybody.
fn public(kind: HeaderValue, kept: HeaderValue, body: impl IntoResponse) -> Response {
    let anybody = HeaderValue::from_static("*");
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept), (header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody)];
    (headers, body).into_response()
}
