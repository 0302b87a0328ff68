//! `/v1/organizations`: the organizations of a person.

use axum::extract::State;
use domain::identity::organizations::{
    self, CREATE_ERRORS, NewOrganization, Organization, OrganizationPatch, UPDATE_ERRORS,
};
use kernel::caller::allow;

use crate::{
    auth::{InOrganization, JsonBody, LoggedIn},
    extract::{IfMatch, List},
    operation,
    problem::Problem,
    reply::{Created, Found, Listed},
    route::Routes,
    state::AppState,
};

/// The routes of organizations.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(create_organization, CREATE_ERRORS))
        .add(operation!(list_organizations))
        .add(operation!(get_organization))
        .add(operation!(update_organization, UPDATE_ERRORS))
}

/// Create an organization
///
/// The person who creates it becomes its owner. A person can be a member of 50.
#[utoipa::path(post, path = "/organizations", tag = "organizations")]
async fn create_organization(
    State(state): State<AppState>,
    JsonBody { caller: LoggedIn(person), body, .. }: JsonBody<LoggedIn, NewOrganization>,
) -> Result<Created<Organization>, Problem> {
    Ok(Created(organizations::create(&state.core, &person, &body).await?))
}

/// List organizations
///
/// The organizations that the person is a member of, newest first.
#[utoipa::path(get, path = "/organizations", tag = "organizations")]
async fn list_organizations(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    list: List,
) -> Result<Listed<Organization>, Problem> {
    Ok(list.reply(organizations::list(&state.core, &person, list.page).await?))
}

/// Get an organization
#[utoipa::path(get, path = "/organizations/{organization}", tag = "organizations")]
async fn get_organization(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersRead>,
) -> Result<Found<Organization>, Problem> {
    Ok(Found::new(&organizations::get(&state.core, &by).await?)?)
}

/// Update an organization
///
/// Requires an owner.
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "organizations")]
async fn update_organization(
    State(state): State<AppState>,
    if_match: Result<IfMatch, Problem>,
    JsonBody { caller: InOrganization(by), body, .. }: JsonBody<
        InOrganization<allow::OrganizationWrite>,
        OrganizationPatch,
    >,
) -> Result<Found<Organization>, Problem> {
    let IfMatch(expected) = if_match?;
    Ok(Found::new(&organizations::update(&state.core, &by, &body, expected).await?)?)
}
