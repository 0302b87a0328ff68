//! `/v1/intents`: sending, and seeing what became of it.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    ids::IntentId,
    intents::{self, Accepted, Intent, MAX_BODY, NewIntent},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Signed, SignedBy},
    extract::Path,
    problem::Problem,
    state::AppState,
};

/// The routes of intents.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(send)).layer(DefaultBodyLimit::max(MAX_BODY)).routes(routes!(get))
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

/// Get an intent
///
/// For the agent that sent it and the one it is for.
#[utoipa::path(
    get,
    path = "/intents/{id}",
    tag = "intents",
    params(("id" = IntentId, Path, description = "The intent")),
    security(("agent_signature" = [])),
    responses((status = 200, description = "The intent and how its delivery stands", body = Intent)),
)]
async fn get(
    State(state): State<AppState>,
    SignedBy(reader): SignedBy,
    Path(id): Path<IntentId>,
) -> Result<Json<Intent>, Problem> {
    Ok(Json(intents::get(&state.core, &reader.principal, reader.agent, id).await?))
}
