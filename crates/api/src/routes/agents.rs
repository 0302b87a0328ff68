//! `/v1/agents`: the registry.

use axum::extract::State;
use domain::agents::{
    self, Agent, AgentName, AgentPatch, GET_ERRORS, REGISTER_ERRORS, REMOVE_ERRORS, UPDATE_ERRORS,
};
use kernel::caller::allow;

use crate::{
    auth::{InProject, JsonBody, NoBody, Registering},
    extract::{IfMatch, List, Path},
    operation,
    problem::Problem,
    reply::{Found, Listed, NoContent, Upserted},
    route::Routes,
    state::AppState,
};

/// The routes of the registry.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(register_agent, REGISTER_ERRORS))
        .add(operation!(list_agents))
        .add(operation!(get_agent, GET_ERRORS))
        .add(operation!(update_agent, UPDATE_ERRORS))
        .add(operation!(remove_agent, REMOVE_ERRORS))
}

/// Register an agent
///
/// The request carries the project's API key, or the access token of one of its people beside
/// `Holdfast-Project`, and is signed (RFC 9421) by the key that is registered, `keyid` being the
/// DID: proof that the agent holds it. The same key registers again to change its registration. A
/// project can have 10,000 agents.
#[utoipa::path(post, path = "/agents", tag = "agents")]
async fn register_agent(
    State(state): State<AppState>,
    caller: Registering,
) -> Result<Upserted<Agent>, Problem> {
    let Registering { by, registration } = caller;
    Ok(Upserted(agents::register(&state.core, &by, registration).await?))
}

/// List agents
///
/// The project's agents, newest first.
#[utoipa::path(get, path = "/agents", tag = "agents")]
async fn list_agents(
    State(state): State<AppState>,
    InProject(by): InProject<allow::AgentsRead>,
    list: List,
) -> Result<Listed<Agent>, Problem> {
    Ok(list.reply(agents::list(&state.core, &by, list.page).await?))
}

/// Get an agent
#[utoipa::path(get, path = "/agents/{agent}", tag = "agents")]
async fn get_agent(
    State(state): State<AppState>,
    InProject(by): InProject<allow::AgentsRead>,
    Path(agent): Path<AgentName>,
) -> Result<Found<Agent>, Problem> {
    Ok(Found::new(&*state.agents.get(&by, &agent).await?)?)
}

/// Update an agent
///
/// By the project's API key, by one of its people, or by the agent itself. What is absent stays;
/// with null as the endpoint, intents are no longer pushed.
#[utoipa::path(patch, path = "/agents/{agent}", tag = "agents")]
async fn update_agent(
    State(state): State<AppState>,
    Path(agent): Path<AgentName>,
    if_match: Result<IfMatch, Problem>,
    JsonBody { caller: InProject(by), body, .. }: JsonBody<InProject<allow::AgentsWrite>, AgentPatch>,
) -> Result<Found<Agent>, Problem> {
    let IfMatch(expected) = if_match?;
    Ok(Found::new(&agents::update(&state.core, &by, &agent, body, expected).await?)?)
}

/// Remove an agent
///
/// By the project's API key, by one of its people, or by the agent itself. The agent can no longer
/// sign or be sent to; what was on its way to it is given up.
#[utoipa::path(delete, path = "/agents/{agent}", tag = "agents")]
async fn remove_agent(
    State(state): State<AppState>,
    Path(agent): Path<AgentName>,
    NoBody { caller: InProject(by) }: NoBody<InProject<allow::AgentsWrite>>,
) -> Result<NoContent, Problem> {
    agents::remove(&state.core, &by, &agent).await?;
    Ok(NoContent)
}
