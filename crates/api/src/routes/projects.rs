//! `/v1/organizations/{organization}/projects` and `/v1/projects/{project}`.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::identity::organizations::{
    Naming,
    projects::{self, Project},
};
use kernel::{
    ids::{OrganizationId, ProjectId},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{InProject, LoggedIn, With},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
    version::{IfMatch, Tagged, Versioned},
};

/// The routes of projects.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, rename))
}

impl Versioned for Project {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Make a project
///
/// Takes an admin. An organisation can have 100.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/projects",
    tag = "projects",
    params(
        ("organization" = OrganizationId, Path, description = "The organisation"),
    ),
    request_body = Naming,
    security(("access_token" = ["project:write"])),
    responses((status = 201, description = "Made", body = Project, headers(
        ("Location" = String, description = "The project"),
        ("ETag" = String, description = "Its version"),
    ))),
)]
async fn create(
    State(state): State<AppState>,
    Path(organization): Path<OrganizationId>,
    With { caller: LoggedIn(person), body, once }: With<LoggedIn, Naming>,
) -> Result<Response, Problem> {
    let made = projects::create(&state.core, &person, organization, &body, once.as_ref()).await?;
    let location = format!("/v1/projects/{}", made.id);
    Ok(([(header::LOCATION, location)], Tagged(StatusCode::CREATED, made)).into_response())
}

/// List an organisation's projects
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/projects",
    tag = "projects",
    params(("organization" = OrganizationId, Path, description = "The organisation"), PageQuery),
    security(("access_token" = ["project:read"])),
    responses((status = 200, description = "A page of projects", body = Page<Project>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(organization): Path<OrganizationId>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = projects::list(&state.core, &person, organization, page.try_into()?).await?;
    Ok(crate::page::respond(&format!("/v1/organizations/{organization}/projects"), limit, page))
}

/// Get a project
#[utoipa::path(
    get,
    path = "/projects/{project}",
    tag = "projects",
    params(("project" = ProjectId, Path, description = "The project")),
    security(("access_token" = ["project:read"]), ("api_key" = ["project:read"])),
    responses((status = 200, description = "The project", body = Project, headers(("ETag" = String, description = "Its version")))),
)]
async fn get(State(state): State<AppState>, caller: InProject) -> Result<Tagged<Project>, Problem> {
    Ok(Tagged(StatusCode::OK, projects::get(&state.core, &caller.principal).await?))
}

/// Rename a project
///
/// Takes an admin.
#[utoipa::path(
    patch,
    path = "/projects/{project}",
    tag = "projects",
    params(
        ("project" = ProjectId, Path, description = "The project"),
    ),
    request_body = Naming,
    security(("access_token" = ["project:write"])),
    responses((status = 200, description = "Renamed", body = Project, headers(("ETag" = String, description = "Its version")))),
)]
async fn rename(
    State(state): State<AppState>,
    if_match: Result<IfMatch, Problem>,
    With { caller, body, .. }: With<InProject, Naming>,
) -> Result<Tagged<Project>, Problem> {
    let IfMatch(expected) = if_match?;
    let renamed = projects::rename(&state.core, &caller.principal, &body, expected).await?;
    Ok(Tagged(StatusCode::OK, renamed))
}
