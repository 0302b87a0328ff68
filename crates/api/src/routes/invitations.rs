//! `/v1/organizations/{organization}/invitations`, and accepting one.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::identity::organizations::{
    Organization,
    invitations::{self, Acceptance, Invitation, InvitationRequest},
};
use kernel::{
    ids::{InvitationId, OrganizationId},
    page::{Page, PageQuery},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{LoggedIn, With},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
    version::Tagged,
};

/// The routes of invitations.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(revoke))
        .routes(routes!(resend))
        .routes(routes!(accept))
}

/// Invite somebody
///
/// By mail, to be accepted within 7 days. Takes an admin; nobody invites anybody above themselves. An organisation can have 100 open invitations and
/// 500 members.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/invitations",
    tag = "organizations",
    params(
        ("organization" = OrganizationId, Path, description = "The organisation"),
    ),
    request_body = InvitationRequest,
    security(("access_token" = ["members:write"])),
    responses((status = 201, description = "Invited; the mail is on its way", body = Invitation)),
)]
async fn create(
    State(state): State<AppState>,
    Path(organization): Path<OrganizationId>,
    With { caller: LoggedIn(person), body, once }: With<LoggedIn, InvitationRequest>,
) -> Result<Response, Problem> {
    let made = invitations::create(&state.core, &person, organization, &body, once.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// List invitations
///
/// Those that are neither accepted nor revoked, newest first.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/invitations",
    tag = "organizations",
    params(("organization" = OrganizationId, Path, description = "The organisation"), PageQuery),
    security(("access_token" = ["members:read"])),
    responses((status = 200, description = "A page of invitations", body = Page<Invitation>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(organization): Path<OrganizationId>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = invitations::list(&state.core, &person, organization, page.try_into()?).await?;
    Ok(crate::page::respond(&format!("/v1/organizations/{organization}/invitations"), limit, page))
}

/// Revoke an invitation
#[utoipa::path(
    delete,
    path = "/organizations/{organization}/invitations/{invitation}",
    tag = "organizations",
    params(
        ("organization" = OrganizationId, Path, description = "The organisation"),
        ("invitation" = InvitationId, Path, description = "The invitation"),
    ),
    security(("access_token" = ["members:write"])),
    responses((status = 204, description = "Revoked")),
)]
async fn revoke(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path((organization, invitation)): Path<(OrganizationId, InvitationId)>,
) -> Result<StatusCode, Problem> {
    invitations::revoke(&state.core, &person, organization, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send an invitation again
///
/// It is good for another 7 days then. At most every 5 minutes.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/invitations/{invitation}/resend",
    tag = "organizations",
    params(
        ("organization" = OrganizationId, Path, description = "The organisation"),
        ("invitation" = InvitationId, Path, description = "The invitation"),
    ),
    security(("access_token" = ["members:write"])),
    responses((status = 200, description = "The mail is on its way", body = Invitation)),
)]
async fn resend(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path((organization, invitation)): Path<(OrganizationId, InvitationId)>,
) -> Result<Json<Invitation>, Problem> {
    Ok(Json(invitations::resend(&state.core, &person, organization, invitation).await?))
}

/// Accept an invitation
///
/// By the token of the mail, which is good once; the account's verified address must be the one that was invited.
#[utoipa::path(
    post,
    path = "/invitations/accept",
    tag = "organizations",
    request_body = Acceptance,
    security(("access_token" = [])),
    responses((status = 201, description = "The person is a member", body = Organization, headers(
        ("Location" = String, description = "The organisation"),
        ("ETag" = String, description = "Its version"),
    ))),
)]
async fn accept(
    State(state): State<AppState>,
    With { caller: LoggedIn(person), body, once }: With<LoggedIn, Acceptance>,
) -> Result<Response, Problem> {
    let joined = invitations::accept(&state.core, &person, &body, once.as_ref()).await?;
    let location = format!("/v1/organizations/{}", joined.id);
    Ok(([(header::LOCATION, location)], Tagged(StatusCode::CREATED, joined)).into_response())
}
