//! `/v1/projects/{project}/keys`: a project's API keys.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::identity::api_keys::{self, IssuedKey, Key, KeyRequest, Rotation};
use kernel::{
    ids::{ApiKeyId, ProjectId},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{InProject, With},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

/// The routes of API keys.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, revoke)).routes(routes!(rotate))
}

/// Make an API key
///
/// The answer is the only time that its text is shown; the same request under the same `Idempotency-Key` is answered with the same text. A key can
/// have no scope that its maker lacks. A project can have 100 in use.
#[utoipa::path(
    post,
    path = "/projects/{project}/keys",
    tag = "keys",
    params(
        ("project" = ProjectId, Path, description = "The project"),
    ),
    request_body = KeyRequest,
    security(("access_token" = ["keys:write"]), ("api_key" = ["keys:write"])),
    responses((status = 201, description = "Made", body = IssuedKey, headers(("Location" = String, description = "The key")))),
)]
async fn create(
    State(state): State<AppState>,
    With { caller, body, once }: With<InProject, KeyRequest>,
) -> Result<Response, Problem> {
    let environment = state.about.environment.to_string();
    let issued = api_keys::create(&state.core, &caller.principal, &environment, &body, once.as_ref()).await?;
    Ok(made(caller.principal.project, issued))
}

/// List API keys
///
/// Those that were not revoked, newest first, without their secrets.
#[utoipa::path(
    get,
    path = "/projects/{project}/keys",
    tag = "keys",
    params(("project" = ProjectId, Path, description = "The project"), PageQuery),
    security(("access_token" = ["keys:read"]), ("api_key" = ["keys:read"])),
    responses((status = 200, description = "A page of keys", body = Page<Key>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    caller: InProject,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = api_keys::list(&state.core, &caller.principal, page.try_into()?).await?;
    Ok(crate::page::respond(&format!("/v1/projects/{}/keys", caller.principal.project), limit, page))
}

/// Get an API key
///
/// Without its secret.
#[utoipa::path(
    get,
    path = "/projects/{project}/keys/{key}",
    tag = "keys",
    params(("project" = ProjectId, Path, description = "The project"), ("key" = ApiKeyId, Path, description = "The key")),
    security(("access_token" = ["keys:read"]), ("api_key" = ["keys:read"])),
    responses((status = 200, description = "The key", body = Key)),
)]
async fn get(
    State(state): State<AppState>,
    caller: InProject,
    Path((_, key)): Path<(ProjectId, ApiKeyId)>,
) -> Result<Json<Key>, Problem> {
    Ok(Json(api_keys::get(&state.core, &caller.principal, key).await?))
}

/// Revoke an API key
///
/// Every replica refuses it within 5 seconds.
#[utoipa::path(
    delete,
    path = "/projects/{project}/keys/{key}",
    tag = "keys",
    params(("project" = ProjectId, Path, description = "The project"), ("key" = ApiKeyId, Path, description = "The key")),
    security(("access_token" = ["keys:write"]), ("api_key" = ["keys:write"])),
    responses((status = 204, description = "Revoked")),
)]
async fn revoke(
    State(state): State<AppState>,
    caller: InProject,
    Path((_, key)): Path<(ProjectId, ApiKeyId)>,
) -> Result<StatusCode, Problem> {
    api_keys::revoke(&state.core, &caller.principal, key).await?;
    state.credentials.forget_keys();
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate an API key
///
/// Makes a key of the same name, scopes and length of life; the old one still works for `overlap_seconds`. Like one that was made, the new key's text
/// is shown this once.
#[utoipa::path(
    post,
    path = "/projects/{project}/keys/{key}/rotate",
    tag = "keys",
    params(
        ("project" = ProjectId, Path, description = "The project"),
        ("key" = ApiKeyId, Path, description = "The key"),
    ),
    request_body = Rotation,
    security(("access_token" = ["keys:write"]), ("api_key" = ["keys:write"])),
    responses((status = 201, description = "The new key", body = IssuedKey, headers(("Location" = String, description = "The new key")))),
)]
async fn rotate(
    State(state): State<AppState>,
    Path((_, key)): Path<(ProjectId, ApiKeyId)>,
    With { caller, body, once }: With<InProject, Rotation>,
) -> Result<Response, Problem> {
    let environment = state.about.environment.to_string();
    let issued = api_keys::rotate(&state.core, &caller.principal, &environment, key, body, once.as_ref()).await?;
    state.credentials.forget_keys();
    Ok(made(caller.principal.project, issued))
}

fn made(project: ProjectId, issued: IssuedKey) -> Response {
    let location = format!("/v1/projects/{project}/keys/{}", issued.about.id);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(issued)).into_response()
}
