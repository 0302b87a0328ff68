//! `/v1/organizations/{organization}/members`: its members and their roles.

use axum::extract::State;
use domain::identity::organizations::members::{
    self, GET_ERRORS, Membership, MembershipPatch, REMOVE_ERRORS, UPDATE_ERRORS,
};
use kernel::{caller::allow, ids::UserId};

use crate::{
    auth::{InOrganization, JsonBody},
    extract::{IfMatch, List, Path},
    operation,
    problem::Problem,
    reply::{Found, Listed, NoContent},
    route::Routes,
    state::AppState,
};

/// The routes of members.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(list_members))
        .add(operation!(get_member, GET_ERRORS))
        .add(operation!(update_member, UPDATE_ERRORS))
        .add(operation!(remove_member, REMOVE_ERRORS))
}

/// List members
///
/// The members with the newest accounts come first.
#[utoipa::path(get, path = "/organizations/{organization}/members", tag = "organizations")]
async fn list_members(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersRead>,
    list: List,
) -> Result<Listed<Membership>, Problem> {
    Ok(list.reply(members::list(&state.core, &by, list.page).await?))
}

/// Get a member
#[utoipa::path(get, path = "/organizations/{organization}/members/{user}", tag = "organizations")]
async fn get_member(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersRead>,
    Path(user): Path<UserId>,
) -> Result<Found<Membership>, Problem> {
    Ok(Found::new(&members::get(&state.core, &by, user).await?)?)
}

/// Update a member
///
/// Requires an admin, who can neither change a member above themselves nor make one. The last owner
/// stays one. Every replica applies the new role within 5 seconds.
#[utoipa::path(patch, path = "/organizations/{organization}/members/{user}", tag = "organizations")]
async fn update_member(
    State(state): State<AppState>,
    Path(user): Path<UserId>,
    if_match: Result<IfMatch, Problem>,
    JsonBody { caller: InOrganization(by), body, .. }: JsonBody<
        InOrganization<allow::MembersWrite>,
        MembershipPatch,
    >,
) -> Result<Found<Membership>, Problem> {
    let IfMatch(expected) = if_match?;
    Ok(Found::new(&members::update(&state.core, &by, user, body, expected).await?)?)
}

/// Remove a member, or leave
///
/// Anyone may leave, except the last owner. Removing others requires an admin, and removing an
/// owner requires an owner. Access ends on every replica within 5 seconds. API keys that the member
/// created stay: revoke them if the member knows them.
#[utoipa::path(delete, path = "/organizations/{organization}/members/{user}", tag = "organizations")]
async fn remove_member(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersWrite>,
    Path(user): Path<UserId>,
) -> Result<NoContent, Problem> {
    members::remove(&state.core, &by, user).await?;
    Ok(NoContent)
}
