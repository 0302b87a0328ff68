//! `/v1/agents`: the registry.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::agents::{self, Agent, Registration};
use kernel::{
    crypto::Did,
    ids::ProjectId,
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{InProject, Registering},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
    version::{Tagged, Versioned},
};

/// The routes of the registry.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(register, list)).routes(routes!(get, remove))
}

impl Versioned for Agent {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Versioned for Arc<Agent> {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Register an agent
///
/// The request carries the project's API key, or the access token of one of its people beside `Holdfast-Project`, and is signed (RFC 9421) by the key being registered, `keyid` being the DID: proof that the
/// agent holds it. The same key registers again to change its registration. A project can have 10,000 agents.
#[utoipa::path(
    post,
    path = "/agents",
    tag = "agents",
    params(("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means")),
    request_body = Registration,
    security(("api_key" = ["agents:write"], "agent_signature" = []), ("access_token" = ["agents:write"], "agent_signature" = [])),
    responses(
        (status = 201, description = "Registered", body = Agent, headers(
            ("Location" = String, description = "The agent"),
            ("ETag" = String, description = "Its version"),
        )),
        (status = 200, description = "The registration was changed", body = Agent, headers(("ETag" = String, description = "Its version"))),
    ),
)]
async fn register(State(state): State<AppState>, caller: Registering) -> Result<Response, Problem> {
    let Registering { principal, proof, registration, once } = caller;
    let done = agents::register(&state.core, &principal, &proof, registration, once.as_ref()).await?;
    state.credentials.forget_agent(&done.agent.did, principal.project).await;
    // A DID may hold percent signs of its own.
    let location = format!("/v1/agents/{}", done.agent.did.as_str().replace('%', "%25"));
    Ok(if done.created {
        ([(header::LOCATION, location)], Tagged(StatusCode::CREATED, done.agent)).into_response()
    } else {
        Tagged(StatusCode::OK, done.agent).into_response()
    })
}

/// List agents
///
/// The project's agents, newest first.
#[utoipa::path(
    get,
    path = "/agents",
    tag = "agents",
    params(PageQuery, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["agents:read"]), ("agent_signature" = []), ("access_token" = ["agents:read"])),
    responses((status = 200, description = "A page of agents", body = Page<Agent>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    caller: InProject,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = agents::list(&state.core, &caller.principal, page.try_into()?).await?;
    Ok(crate::page::respond("/v1/agents", limit, page))
}

/// Get an agent
#[utoipa::path(
    get,
    path = "/agents/{did}",
    tag = "agents",
    params(
        ("did" = Did, Path, description = "The agent's DID"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several"),
    ),
    security(("api_key" = ["agents:read"]), ("agent_signature" = []), ("access_token" = ["agents:read"])),
    responses((status = 200, description = "The agent", body = Agent, headers(("ETag" = String, description = "Its version")))),
)]
async fn get(
    State(state): State<AppState>,
    caller: InProject,
    Path(did): Path<String>,
) -> Result<Tagged<Arc<Agent>>, Problem> {
    Ok(Tagged(StatusCode::OK, state.agents.get(&caller.principal, &parse_did(&did)?).await?))
}

/// Remove an agent
///
/// By the project's API key, by one of its people, or by the agent itself. It can no longer sign or be sent to; what was on its way to it is given up.
#[utoipa::path(
    delete,
    path = "/agents/{did}",
    tag = "agents",
    params(
        ("did" = Did, Path, description = "The agent's DID"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several"),
    ),
    security(("api_key" = ["agents:write"]), ("agent_signature" = []), ("access_token" = ["agents:write"])),
    responses((status = 204, description = "Removed")),
)]
async fn remove(
    State(state): State<AppState>,
    caller: InProject,
    Path(did): Path<String>,
) -> Result<StatusCode, Problem> {
    let did = parse_did(&did)?;
    agents::remove(&state.core, &caller.principal, caller.proof.as_ref(), &did).await?;
    state.credentials.forget_agent(&did, caller.principal.project).await;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_did(text: &str) -> Result<Did, kernel::Error> {
    text.parse().map_err(|error: kernel::crypto::NotADid| {
        kernel::Error::field(kernel::Code::InvalidDid, "did", error.to_string())
    })
}
