//! `/v1/vault/proposals`: what waits for a person; and `/v1/vault/subjects`: whom to forget.

use axum::{Json, extract::State, response::Response};
use kernel::{
    ids::ProjectId,
    page::{Page, PageQuery},
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use vault::{self, Decision, Proposal, ProposalFilter, Reason};

use super::seals::{Sealed, created};
use crate::{
    auth::{Bare, InProject, With},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(erase))
}

/// [`ProposalFilter`] and [`PageQuery`] in one query, which serde cannot put together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    open: Option<bool>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// List proposals
///
/// Seals whose verdict is `HOLD`, newest first, with what was decided.
#[utoipa::path(
    get,
    path = "/vault/proposals",
    tag = "vault",
    params(ProposalFilter, PageQuery, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "A page of proposals", body = Page<Proposal>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    caller: InProject,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let ListQuery { open, limit, cursor } = query;
    let page = PageQuery { limit, cursor }.try_into()?;
    let page = vault::proposals(&state.vault, &caller.principal, ProposalFilter { open }, page).await?;
    Ok(crate::page::respond_to("/v1/vault/proposals", open.map(|open| ("open", open.to_string())), limit, page))
}

/// Get a proposal
///
/// And what was decided: who proposed asks for it here.
#[utoipa::path(
    get,
    path = "/vault/proposals/{proposal}",
    tag = "vault",
    params(
        ("proposal" = u64, Path, minimum = 0, maximum = 1_099_511_627_776_u64, description = "The proposal's place in the log"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several"),
    ),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The proposal", body = Proposal)),
)]
async fn get(
    State(state): State<AppState>,
    caller: InProject,
    Path(index): Path<u64>,
) -> Result<Json<Proposal>, Problem> {
    Ok(Json(vault::proposal(&state.vault, &caller.principal, index).await?))
}

/// Approve a proposal
///
/// Takes a person, who did not propose it as that person; what keys and agents proposed, whoever made those may decide. The decision is sealed, and is the
/// answer.
#[utoipa::path(
    post,
    path = "/vault/proposals/{proposal}/approve",
    tag = "vault",
    params(
        ("proposal" = u64, Path, minimum = 0, maximum = 1_099_511_627_776_u64, description = "The proposal's place in the log"),
        ("Holdfast-Project" = ProjectId, Header, description = "Which project the person means"),
    ),
    request_body = Reason,
    security(("access_token" = ["vault:decide"])),
    responses((status = 201, description = "Approved, by this seal", body = Sealed, headers(("Location" = String, description = "The seal")))),
)]
async fn approve(
    state: State<AppState>,
    Path(index): Path<u64>,
    with: With<InProject, Reason>,
) -> Result<Response, Problem> {
    decide(state, index, Decision::Approved, with).await
}

/// Reject a proposal
///
/// Takes a person, who did not propose it as that person; what keys and agents proposed, whoever made those may decide. The decision is sealed, and is the
/// answer.
#[utoipa::path(
    post,
    path = "/vault/proposals/{proposal}/reject",
    tag = "vault",
    params(
        ("proposal" = u64, Path, minimum = 0, maximum = 1_099_511_627_776_u64, description = "The proposal's place in the log"),
        ("Holdfast-Project" = ProjectId, Header, description = "Which project the person means"),
    ),
    request_body = Reason,
    security(("access_token" = ["vault:decide"])),
    responses((status = 201, description = "Rejected, by this seal", body = Sealed, headers(("Location" = String, description = "The seal")))),
)]
async fn reject(
    state: State<AppState>,
    Path(index): Path<u64>,
    with: With<InProject, Reason>,
) -> Result<Response, Problem> {
    decide(state, index, Decision::Rejected, with).await
}

async fn decide(
    State(state): State<AppState>,
    index: u64,
    decision: Decision,
    With { caller, body, once }: With<InProject, Reason>,
) -> Result<Response, Problem> {
    let decided = vault::decide(&state.vault, &caller.principal, index, decision, &body, once.as_ref()).await?;
    Ok(created(Sealed::one(decided)?))
}

/// Erase a subject's personal data
///
/// Destroys the key under which all personal data of the subject is kept, and the data itself; that it was done is sealed. The log stays as it is, and every
/// receipt verifies as before. It cannot be taken back.
#[utoipa::path(
    post,
    path = "/vault/subjects/{subject}/erase",
    tag = "vault",
    params(
        ("subject" = String, Path, min_length = 1, max_length = 128, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", description = "The subject, as its seals name it"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means"),
    ),
    security(("api_key" = ["vault:erase"]), ("access_token" = ["vault:erase"])),
    responses((status = 201, description = "Erased, as this seal says", body = Sealed, headers(("Location" = String, description = "The seal")))),
)]
async fn erase(
    State(state): State<AppState>,
    Path(subject): Path<String>,
    Bare { caller, once }: Bare<InProject>,
) -> Result<Response, Problem> {
    let erased = vault::erase(&state.vault, &caller.principal, &subject, once.as_ref()).await?;
    Ok(created(Sealed::one(erased)?))
}
