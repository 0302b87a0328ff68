//! `/v1/vault/proposals`: seals that wait for a person; and `/v1/vault/subjects`: subjects to
//! forget.

use axum::{Json, extract::State};
use kernel::{Result, caller::allow};
use vault::{self, Decision, Proposal, ProposalFilter, Reason, Sealed};

use super::path::{ProposalIndex, Subject};
use crate::{
    auth::{InProject, JsonBody, NoBody},
    extract::{List, Path},
    operation,
    problem::Problem,
    reply::{Created, Listed},
    route::Routes,
    state::AppState,
};

type Decider = JsonBody<InProject<allow::VaultDecide>, Reason>;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(operation!(list_proposals, vault::PROPOSALS_ERRORS))
        .add(operation!(get_proposal, vault::PROPOSAL_ERRORS))
        .add(operation!(approve_proposal, vault::DECIDE_ERRORS))
        .add(operation!(reject_proposal, vault::DECIDE_ERRORS))
        .add(operation!(erase_subject, vault::ERASE_ERRORS))
}

/// List proposals
///
/// The seals whose verdict is `HOLD`, newest first, with their decisions.
#[utoipa::path(get, path = "/vault/proposals", tag = "vault")]
async fn list_proposals(
    State(state): State<AppState>,
    InProject(by): InProject<allow::VaultRead>,
    list: List<ProposalFilter>,
) -> Result<Listed<Proposal>, Problem> {
    Ok(list.reply(vault::proposals(&state.vault, &by, list.filter, list.page).await?))
}

/// Get a proposal
///
/// The proposal with its decision, which the proposer asks for here.
#[utoipa::path(get, path = "/vault/proposals/{proposal}", tag = "vault")]
async fn get_proposal(
    State(state): State<AppState>,
    InProject(by): InProject<allow::VaultRead>,
    Path(ProposalIndex(index)): Path<ProposalIndex>,
) -> Result<Json<Proposal>, Problem> {
    Ok(Json(vault::proposal(&state.vault, &by, index).await?))
}

/// Approve a proposal
///
/// Requires a person other than the proposer. A proposal of a key or an agent may be decided by the
/// person who created it. The decision is sealed, and the seal is the response.
#[utoipa::path(post, path = "/vault/proposals/{proposal}/approve", tag = "vault")]
async fn approve_proposal(
    State(state): State<AppState>,
    Path(proposal): Path<ProposalIndex>,
    request: Decider,
) -> Result<Created<Sealed>, Problem> {
    Ok(decide(&state, proposal, Decision::Approved, request).await?)
}

/// Reject a proposal
///
/// Requires a person other than the proposer. A proposal of a key or an agent may be decided by the
/// person who created it. The decision is sealed, and the seal is the response.
#[utoipa::path(post, path = "/vault/proposals/{proposal}/reject", tag = "vault")]
async fn reject_proposal(
    State(state): State<AppState>,
    Path(proposal): Path<ProposalIndex>,
    request: Decider,
) -> Result<Created<Sealed>, Problem> {
    Ok(decide(&state, proposal, Decision::Rejected, request).await?)
}

async fn decide(
    state: &AppState,
    ProposalIndex(index): ProposalIndex,
    decision: Decision,
    JsonBody { caller: InProject(by), body, .. }: Decider,
) -> Result<Created<Sealed>> {
    vault::decide(&state.vault, &by, index, decision, &body).await.map(Created)
}

/// Erase a subject's personal data
///
/// Destroys the key that all personal data of the subject is encrypted under, and the data itself;
/// the erasure is sealed. The log stays as it is, and every receipt verifies as before. It cannot
/// be undone.
#[utoipa::path(post, path = "/vault/subjects/{subject}/erase", tag = "vault")]
async fn erase_subject(
    State(state): State<AppState>,
    Path(Subject(subject)): Path<Subject>,
    NoBody { caller: InProject(by) }: NoBody<InProject<allow::VaultErase>>,
) -> Result<Created<Sealed>, Problem> {
    Ok(Created(vault::erase(&state.vault, &by, &subject).await?))
}
