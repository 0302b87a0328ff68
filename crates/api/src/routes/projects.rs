//! `/v1/organizations/{organization}/projects` and `/v1/projects/{project}`.

use axum::extract::State;
use domain::identity::organizations::projects::{
    self, CREATE_ERRORS, NewProject, Project, ProjectPatch, UPDATE_ERRORS,
};
use kernel::caller::allow;

use crate::{
    auth::{InOrganization, InProject, JsonBody},
    extract::{IfMatch, List},
    operation,
    problem::Problem,
    reply::{Created, Found, Listed},
    route::Routes,
    state::AppState,
};

/// The routes of projects.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(create_project, CREATE_ERRORS))
        .add(operation!(list_projects))
        .add(operation!(get_project))
        .add(operation!(update_project, UPDATE_ERRORS))
}

/// Create a project
///
/// Requires an admin. An organization can have 100.
#[utoipa::path(post, path = "/organizations/{organization}/projects", tag = "projects")]
async fn create_project(
    State(state): State<AppState>,
    JsonBody { caller: InOrganization(by), body, .. }: JsonBody<
        InOrganization<allow::ProjectWrite>,
        NewProject,
    >,
) -> Result<Created<Project>, Problem> {
    Ok(Created(projects::create(&state.core, &by, &body).await?))
}

/// List an organization's projects
///
/// The projects of the organization, newest first.
#[utoipa::path(get, path = "/organizations/{organization}/projects", tag = "projects")]
async fn list_projects(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::ProjectRead>,
    list: List,
) -> Result<Listed<Project>, Problem> {
    Ok(list.reply(projects::list(&state.core, &by, list.page).await?))
}

/// Get a project
#[utoipa::path(get, path = "/projects/{project}", tag = "projects")]
async fn get_project(
    State(state): State<AppState>,
    InProject(by): InProject<allow::ProjectRead>,
) -> Result<Found<Project>, Problem> {
    Ok(Found::new(&projects::get(&state.core, &by).await?)?)
}

/// Update a project
///
/// Requires an admin.
#[utoipa::path(patch, path = "/projects/{project}", tag = "projects")]
async fn update_project(
    State(state): State<AppState>,
    if_match: Result<IfMatch, Problem>,
    JsonBody { caller: InProject(by), body, .. }: JsonBody<InProject<allow::ProjectWrite>, ProjectPatch>,
) -> Result<Found<Project>, Problem> {
    let IfMatch(expected) = if_match?;
    Ok(Found::new(&projects::update(&state.core, &by, &body, expected).await?)?)
}
