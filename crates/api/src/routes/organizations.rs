//! `/v1/organizations`: those that a person is a member of.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::identity::organizations::{self, Naming, Organization};
use kernel::{
    ids::OrganizationId,
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{LoggedIn, With},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
    version::{IfMatch, Tagged, Versioned},
};

/// The routes of organisations.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, rename))
}

impl Versioned for Organization {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Make an organisation
///
/// Whoever makes it becomes its owner. A person can be a member of 50.
#[utoipa::path(
    post,
    path = "/organizations",
    tag = "organizations",
    request_body = Naming,
    security(("access_token" = [])),
    responses((status = 201, description = "Made", body = Organization, headers(
        ("Location" = String, description = "The organisation"),
        ("ETag" = String, description = "Its version"),
    ))),
)]
async fn create(
    State(state): State<AppState>,
    With { caller: LoggedIn(person), body, once }: With<LoggedIn, Naming>,
) -> Result<Response, Problem> {
    let made = organizations::create(&state.core, &person, &body, once.as_ref()).await?;
    let location = format!("/v1/organizations/{}", made.id);
    Ok(([(header::LOCATION, location)], Tagged(StatusCode::CREATED, made)).into_response())
}

/// List organisations
///
/// Those that the person is a member of, newest first.
#[utoipa::path(
    get,
    path = "/organizations",
    tag = "organizations",
    params(PageQuery),
    security(("access_token" = [])),
    responses((status = 200, description = "A page of organisations", body = Page<Organization>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = organizations::list(&state.core, &person, page.try_into()?).await?;
    Ok(crate::page::respond("/v1/organizations", limit, page))
}

/// Get an organisation
#[utoipa::path(
    get,
    path = "/organizations/{organization}",
    tag = "organizations",
    params(("organization" = OrganizationId, Path, description = "The organisation")),
    security(("access_token" = ["members:read"])),
    responses((status = 200, description = "The organisation", body = Organization, headers(("ETag" = String, description = "Its version")))),
)]
async fn get(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(organization): Path<OrganizationId>,
) -> Result<Tagged<Organization>, Problem> {
    Ok(Tagged(StatusCode::OK, organizations::get(&state.core, &person, organization).await?))
}

/// Rename an organisation
///
/// Takes an owner.
#[utoipa::path(
    patch,
    path = "/organizations/{organization}",
    tag = "organizations",
    params(
        ("organization" = OrganizationId, Path, description = "The organisation"),
    ),
    request_body = Naming,
    security(("access_token" = ["organization:write"])),
    responses((status = 200, description = "Renamed", body = Organization, headers(("ETag" = String, description = "Its version")))),
)]
async fn rename(
    State(state): State<AppState>,
    Path(organization): Path<OrganizationId>,
    if_match: Result<IfMatch, Problem>,
    With { caller: LoggedIn(person), body, .. }: With<LoggedIn, Naming>,
) -> Result<Tagged<Organization>, Problem> {
    let IfMatch(expected) = if_match?;
    let renamed = organizations::rename(&state.core, &person, organization, &body, expected).await?;
    Ok(Tagged(StatusCode::OK, renamed))
}
