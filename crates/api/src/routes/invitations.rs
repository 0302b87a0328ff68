//! `/v1/organizations/{organization}/invitations`, and accepting one.

use axum::{Json, extract::State};
use domain::identity::organizations::{
    Organization,
    invitations::{
        self, ACCEPT_ERRORS, Acceptance, CREATE_ERRORS, Invitation, InvitationRequest, RESEND_ERRORS,
        REVOKE_ERRORS,
    },
};
use kernel::{caller::allow, ids::InvitationId};

use crate::{
    auth::{InOrganization, JsonBody, LoggedIn},
    extract::{List, Path},
    operation,
    problem::Problem,
    reply::{Created, Listed, NoContent},
    route::Routes,
    state::AppState,
};

/// The routes of invitations.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(create_invitation, CREATE_ERRORS))
        .add(operation!(list_invitations))
        .add(operation!(revoke_invitation, REVOKE_ERRORS))
        .add(operation!(resend_invitation, RESEND_ERRORS))
        .add(operation!(accept_invitation, ACCEPT_ERRORS))
}

/// Invite a person
///
/// Mails an invitation that can be accepted for 7 days. Requires an admin, who cannot invite
/// anybody above themselves. An organization can have 100 open invitations and 500 members.
#[utoipa::path(post, path = "/organizations/{organization}/invitations", tag = "organizations")]
async fn create_invitation(
    State(state): State<AppState>,
    JsonBody { caller: InOrganization(by), body, .. }: JsonBody<
        InOrganization<allow::MembersWrite>,
        InvitationRequest,
    >,
) -> Result<Created<Invitation>, Problem> {
    Ok(Created(invitations::create(&state.core, &by, &body).await?))
}

/// List invitations
///
/// The invitations that are neither accepted nor revoked, newest first.
#[utoipa::path(get, path = "/organizations/{organization}/invitations", tag = "organizations")]
async fn list_invitations(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersRead>,
    list: List,
) -> Result<Listed<Invitation>, Problem> {
    Ok(list.reply(invitations::list(&state.core, &by, list.page).await?))
}

/// Revoke an invitation
#[utoipa::path(
    delete,
    path = "/organizations/{organization}/invitations/{invitation}",
    tag = "organizations"
)]
async fn revoke_invitation(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersWrite>,
    Path(invitation): Path<InvitationId>,
) -> Result<NoContent, Problem> {
    invitations::revoke(&state.core, &by, invitation).await?;
    Ok(NoContent)
}

/// Resend an invitation
///
/// It can be accepted for another 7 days then. At most every 5 minutes.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/invitations/{invitation}/resend",
    tag = "organizations"
)]
async fn resend_invitation(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::MembersWrite>,
    Path(invitation): Path<InvitationId>,
) -> Result<Json<Invitation>, Problem> {
    Ok(Json(invitations::resend(&state.core, &by, invitation).await?))
}

/// Accept an invitation
///
/// Takes the token of the mail, which can be used once. The account's verified address must be the
/// one that was invited.
#[utoipa::path(post, path = "/invitations/accept", tag = "organizations")]
async fn accept_invitation(
    State(state): State<AppState>,
    JsonBody { caller: LoggedIn(person), body, .. }: JsonBody<LoggedIn, Acceptance>,
) -> Result<Created<Organization>, Problem> {
    Ok(Created(invitations::accept(&state.core, &person, &body).await?))
}
