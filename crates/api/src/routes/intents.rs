//! `/v1/intents`: sends intents, and shows what became of them.

use axum::{Json, extract::State};
use domain::intents::{
    self, Accepted as AcceptedIntent, GET_ERRORS, Intent, LIST_ERRORS, MAX_BODY, NewIntent, SEND_ERRORS,
    Summary,
};
use kernel::{caller::allow, ids::IntentId};

use crate::{
    auth::{InProject, JsonBody, Signed},
    extract::{List, Path},
    operation,
    problem::Problem,
    reply::{Accepted, Listed},
    route::Routes,
    state::AppState,
};

/// The routes of intents.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(send_intent, SEND_ERRORS).body_limit(MAX_BODY))
        .add(operation!(list_intents, LIST_ERRORS))
        .add(operation!(get_intent, GET_ERRORS))
}

/// Send an intent
///
/// Signed by the sender, with `Content-Digest` covered and a nonce never used before. The response
/// comes after one commit of the intent, its delivery and the job that brings it: it will be
/// delivered, or seen to expire.
#[utoipa::path(post, path = "/intents", tag = "intents")]
async fn send_intent(
    State(state): State<AppState>,
    request: JsonBody<Signed<allow::IntentsWrite>, NewIntent>,
) -> Result<Accepted<AcceptedIntent>, Problem> {
    let JsonBody { caller: Signed(by), body, bytes } = request;
    Ok(Accepted(intents::send(&state.core, &by, &body, &bytes).await?))
}

/// List intents
///
/// The project's intents, newest first, without their payloads.
#[utoipa::path(get, path = "/intents", tag = "intents")]
async fn list_intents(
    State(state): State<AppState>,
    InProject(by): InProject<allow::IntentsRead>,
    list: List,
) -> Result<Listed<Summary>, Problem> {
    Ok(list.reply(intents::list(&state.core, &by, list.page).await?))
}

/// Get an intent
///
/// The project's API keys and people can read every intent, and an agent those that it sent or
/// receives.
#[utoipa::path(get, path = "/intents/{intent}", tag = "intents")]
async fn get_intent(
    State(state): State<AppState>,
    InProject(by): InProject<allow::IntentsRead>,
    Path(intent): Path<IntentId>,
) -> Result<Json<Intent>, Problem> {
    Ok(Json(intents::get(&state.core, &by, intent).await?))
}
