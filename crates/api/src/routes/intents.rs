//! `/v1/intents`: sending, and seeing what became of it.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::intents::{self, Accepted, Intent, MAX_BODY, NewIntent, Summary};
use kernel::{
    ids::{IntentId, ProjectId},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{InProject, Signed},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

/// The routes of intents.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(send))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .routes(routes!(list))
        .routes(routes!(get))
}

/// Send an intent
///
/// Signed by the sender, with `Content-Digest` covered and a nonce never used before. The answer comes after one commit of the intent, its
/// delivery and the job that brings it: it will be delivered, or seen to expire.
#[utoipa::path(
    post,
    path = "/intents",
    tag = "intents",
    request_body = NewIntent,
    security(("agent_signature" = [])),
    responses((status = 202, description = "Committed; it will be delivered", body = Accepted, headers(("Location" = String, description = "The intent")))),
)]
async fn send(State(state): State<AppState>, signed: Signed<NewIntent>) -> Result<Response, Problem> {
    let accepted =
        intents::send(&state.core, &signed.signer, &signed.body, &signed.bytes, signed.once.as_ref()).await?;
    let location = format!("/v1/intents/{}", accepted.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(accepted)).into_response())
}

/// List intents
///
/// The project's, newest first, without their payloads.
#[utoipa::path(
    get,
    path = "/intents",
    tag = "intents",
    params(PageQuery, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means")),
    security(("api_key" = ["intents:read"]), ("access_token" = ["intents:read"])),
    responses((status = 200, description = "A page of intents", body = Page<Summary>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    caller: InProject,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = intents::list(&state.core, &caller.principal, page.try_into()?).await?;
    Ok(crate::page::respond("/v1/intents", limit, page))
}

/// Get an intent
///
/// For the project's API keys and people; of its agents, for the one that sent it and the one it is for.
#[utoipa::path(
    get,
    path = "/intents/{id}",
    tag = "intents",
    params(
        ("id" = IntentId, Path, description = "The intent"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several"),
    ),
    security(("agent_signature" = []), ("api_key" = ["intents:read"]), ("access_token" = ["intents:read"])),
    responses((status = 200, description = "The intent and how its delivery stands", body = Intent)),
)]
async fn get(
    State(state): State<AppState>,
    caller: InProject,
    Path(id): Path<IntentId>,
) -> Result<Json<Intent>, Problem> {
    Ok(Json(intents::get(&state.core, &caller.principal, id).await?))
}
