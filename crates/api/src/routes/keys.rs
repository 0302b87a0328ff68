//! `/v1/projects/{project}/keys`: a project's API keys.

use axum::{Json, extract::State};
use domain::identity::api_keys::{
    self, CREATE_ERRORS, GET_ERRORS, IssuedKey, Key, KeyRequest, REVOKE_ERRORS, ROTATE_ERRORS, Rotation,
};
use kernel::{caller::allow, ids::ApiKeyId};

use crate::{
    auth::{InProject, JsonBody},
    extract::{List, Path},
    operation,
    problem::Problem,
    reply::{Created, Listed, NoContent},
    route::Routes,
    state::AppState,
};

/// The routes of API keys.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(create_api_key, CREATE_ERRORS))
        .add(operation!(list_api_keys))
        .add(operation!(get_api_key, GET_ERRORS))
        .add(operation!(revoke_api_key, REVOKE_ERRORS))
        .add(operation!(rotate_api_key, ROTATE_ERRORS))
}

/// Create an API key
///
/// Only this response shows the key's text; the same request under the same `Idempotency-Key` gets
/// the same text. A key can have no scope that its creator lacks. A project can have 100 in use.
#[utoipa::path(post, path = "/projects/{project}/keys", tag = "keys")]
async fn create_api_key(
    State(state): State<AppState>,
    JsonBody { caller: InProject(by), body, .. }: JsonBody<InProject<allow::KeysWrite>, KeyRequest>,
) -> Result<Created<IssuedKey>, Problem> {
    let environment = state.about.environment.to_string();
    Ok(Created(api_keys::create(&state.core, &by, &environment, &body).await?))
}

/// List API keys
///
/// The keys that were not revoked, newest first, without their secrets.
#[utoipa::path(get, path = "/projects/{project}/keys", tag = "keys")]
async fn list_api_keys(
    State(state): State<AppState>,
    InProject(by): InProject<allow::KeysRead>,
    list: List,
) -> Result<Listed<Key>, Problem> {
    Ok(list.reply(api_keys::list(&state.core, &by, list.page).await?))
}

/// Get an API key
///
/// The response does not show its secret.
#[utoipa::path(get, path = "/projects/{project}/keys/{key}", tag = "keys")]
async fn get_api_key(
    State(state): State<AppState>,
    InProject(by): InProject<allow::KeysRead>,
    Path(key): Path<ApiKeyId>,
) -> Result<Json<Key>, Problem> {
    Ok(Json(api_keys::get(&state.core, &by, key).await?))
}

/// Revoke an API key
///
/// Every replica refuses it within 5 seconds.
#[utoipa::path(delete, path = "/projects/{project}/keys/{key}", tag = "keys")]
async fn revoke_api_key(
    State(state): State<AppState>,
    InProject(by): InProject<allow::KeysWrite>,
    Path(key): Path<ApiKeyId>,
) -> Result<NoContent, Problem> {
    api_keys::revoke(&state.core, &by, key).await?;
    Ok(NoContent)
}

/// Rotate an API key
///
/// Creates a key of the same name, scopes and lifetime; the old one still works for
/// `overlap_seconds`. As with a created key, only this response shows the new key's text.
#[utoipa::path(post, path = "/projects/{project}/keys/{key}/rotate", tag = "keys")]
async fn rotate_api_key(
    State(state): State<AppState>,
    Path(key): Path<ApiKeyId>,
    JsonBody { caller: InProject(by), body, .. }: JsonBody<InProject<allow::KeysWrite>, Rotation>,
) -> Result<Created<IssuedKey>, Problem> {
    let environment = state.about.environment.to_string();
    Ok(Created(api_keys::rotate(&state.core, &by, &environment, key, body).await?))
}
