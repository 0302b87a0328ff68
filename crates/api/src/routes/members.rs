//! `/v1/organizations/{organization}/members`: who is in it, and as what.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::identity::organizations::members::{self, Membership, RoleChange};
use kernel::{
    ids::{OrganizationId, UserId},
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

/// The routes of members.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, change, remove))
}

impl Versioned for Membership {
    fn version(&self) -> i32 {
        self.version
    }
}

/// List members
///
/// Those of the newest accounts first.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/members",
    tag = "organizations",
    params(("organization" = OrganizationId, Path, description = "The organisation"), PageQuery),
    security(("access_token" = ["members:read"])),
    responses((status = 200, description = "A page of members", body = Page<Membership>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(organization): Path<OrganizationId>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = members::list(&state.core, &person, organization, page.try_into()?).await?;
    Ok(crate::page::respond(&format!("/v1/organizations/{organization}/members"), limit, page))
}

/// Get a member
#[utoipa::path(
    get,
    path = "/organizations/{organization}/members/{user}",
    tag = "organizations",
    params(("organization" = OrganizationId, Path, description = "The organisation"), ("user" = UserId, Path, description = "The member")),
    security(("access_token" = ["members:read"])),
    responses((status = 200, description = "The member", body = Membership, headers(("ETag" = String, description = "Its version")))),
)]
async fn get(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Result<Tagged<Membership>, Problem> {
    Ok(Tagged(StatusCode::OK, members::get(&state.core, &person, organization, user).await?))
}

/// Change a member's role
///
/// Takes an admin; nobody can change a member above themselves, nor make one. The last owner stays one. Every replica goes by the new role within
/// 5 seconds.
#[utoipa::path(
    patch,
    path = "/organizations/{organization}/members/{user}",
    tag = "organizations",
    params(
        ("organization" = OrganizationId, Path, description = "The organisation"),
        ("user" = UserId, Path, description = "The member"),
    ),
    request_body = RoleChange,
    security(("access_token" = ["members:write"])),
    responses((status = 200, description = "Changed", body = Membership, headers(("ETag" = String, description = "Its version")))),
)]
async fn change(
    State(state): State<AppState>,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
    if_match: Result<IfMatch, Problem>,
    With { caller: LoggedIn(person), body, .. }: With<LoggedIn, RoleChange>,
) -> Result<Tagged<Membership>, Problem> {
    let IfMatch(expected) = if_match?;
    let changed = members::change(&state.core, &person, organization, user, body, expected).await?;
    state.credentials.forget_memberships();
    Ok(Tagged(StatusCode::OK, changed))
}

/// Remove a member, or leave
///
/// Anyone may leave, but for the last owner; removing others takes an admin, and owners are removed by owners. Access ends on every replica
/// within 5 seconds. API keys that the member made stay: revoke them if they are known to them.
#[utoipa::path(
    delete,
    path = "/organizations/{organization}/members/{user}",
    tag = "organizations",
    params(("organization" = OrganizationId, Path, description = "The organisation"), ("user" = UserId, Path, description = "The member")),
    security(("access_token" = ["members:write"])),
    responses((status = 204, description = "Removed")),
)]
async fn remove(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Result<StatusCode, Problem> {
    members::remove(&state.core, &person, organization, user).await?;
    state.credentials.forget_memberships();
    Ok(StatusCode::NO_CONTENT)
}
