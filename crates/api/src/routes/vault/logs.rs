//! `/v1/vault/logs/{log}`: the logs as everybody may read them, and caches may keep them (C2SP
//! tlog-tiles).

use axum::{extract::State, http::Method, routing::get};
use kernel::ids::LogId;

use super::tiles;
use crate::{
    extract::Path,
    operation,
    problem::Problem,
    reply::Public,
    route::{Attributes, Routes},
    state::AppState,
};

pub(super) fn routes() -> Routes {
    // Partial tiles, and those whose number has more than three digits, have longer paths than
    // OpenAPI can describe.
    let longer = "/vault/logs/{log}/tile/{level}/{tile}/{*rest}";
    let attributes = Attributes { needs_schema: true, ..Attributes::default() };
    Routes::new()
        .add(operation!(get_checkpoint, vault::CHECKPOINT_ERRORS))
        .add(operation!(get_policy).without_schema())
        .add(operation!(tiles::get_tile, vault::TILE_ERRORS))
        .plain(longer, [Method::GET], get(tiles::get_tile), attributes)
}

/// Get a log's checkpoint
///
/// The signed size and root of the log at present (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/vault/logs/{log}/checkpoint", tag = "vault")]
async fn get_checkpoint(
    State(state): State<AppState>,
    Path(log): Path<LogId>,
) -> Result<Public<2, String>, Problem> {
    Ok(Public(vault::checkpoint(&state.vault, log).await?))
}

/// Get a log's policy
///
/// The keys that its checkpoints are checked under (C2SP tlog-policy). Keep a copy elsewhere: with
/// nothing but this response you trust the server.
#[utoipa::path(get, path = "/vault/logs/{log}/policy", tag = "vault")]
async fn get_policy(
    State(state): State<AppState>,
    Path(log): Path<LogId>,
) -> Result<Public<300, String>, Problem> {
    Ok(Public(state.vault.policy(log)))
}
