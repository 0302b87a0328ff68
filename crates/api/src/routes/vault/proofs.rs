//! `/v1/vault/log`, what witnesses have seen of it, `/v1/vault/seals/{index}/receipt` and
//! `/v1/vault/proof`: proofs of a project's log for its people; and `/v1/vault/verify`, for
//! everybody.

use axum::{Json, extract::State};
use kernel::caller::allow;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use vault::{self, Consistency, Inclusion, Log, Verification, Witnessed};

use super::{limits::RECEIPT_BODY, path::SealIndex};
use crate::{
    auth::{AnonymousJson, InProject},
    extract::{Path, Query},
    operation,
    problem::Problem,
    reply::Text,
    route::Routes,
    state::AppState,
};

type Reader = InProject<allow::VaultRead>;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(operation!(get_log, vault::LOG_ERRORS))
        .add(operation!(get_witnessed, vault::WITNESSED_ERRORS))
        .add(operation!(get_receipt, vault::RECEIPT_ERRORS))
        .add(operation!(prove_inclusion, vault::PROOF_ERRORS))
        .add(operation!(prove_consistency, vault::PROOF_ERRORS))
        .add(operation!(verify_receipt, vault::VERIFY_ERRORS).body_limit(RECEIPT_BODY))
}

/// Get the project's log
///
/// Its size, its signed checkpoint, and the keys that sign it.
#[utoipa::path(get, path = "/vault/log", tag = "vault")]
async fn get_log(State(state): State<AppState>, InProject(by): Reader) -> Result<Json<Log>, Problem> {
    Ok(Json(vault::log(&state.vault, &by).await?))
}

/// Get what witnesses have seen of the log
///
/// The newest head of the log that is in the meta-log as witnesses have cosigned it: its receipt
/// there, with their cosignatures, and the proof that the present log continues it. With that no
/// entry below its size can be changed or left out unnoticed, not even by us. 404 while no witness
/// has seen the log.
#[utoipa::path(get, path = "/vault/log/witnessed", tag = "vault")]
async fn get_witnessed(
    State(state): State<AppState>,
    InProject(by): Reader,
) -> Result<Json<Witnessed>, Problem> {
    Ok(Json(vault::witnessed(&state.vault, &by).await?))
}

/// Get a seal's receipt
///
/// A C2SP tlog-proof: the entry, the proof that it is in the present log, and the signed checkpoint
/// of that. It can be checked offline, by the page `/vault/{log}` or by any tool that knows the
/// format, for as long as the log's keys are known.
#[utoipa::path(get, path = "/vault/seals/{index}/receipt", tag = "vault")]
async fn get_receipt(
    State(state): State<AppState>,
    InProject(by): Reader,
    Path(SealIndex(index)): Path<SealIndex>,
) -> Result<Text, Problem> {
    Ok(Text(vault::receipt(&state.vault, &by, index).await?))
}

/// The entry, and the tree to prove it in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InclusionQuery {
    /// The entry's place in the log; the last of the tree when left out.
    #[param(minimum = 0, maximum = 1_099_511_627_776_u64)]
    index: Option<u64>,
    /// The size of the tree; the log's when left out.
    #[param(minimum = 1, maximum = 1_099_511_627_776_u64)]
    size: Option<u64>,
}

/// Prove that an entry is in the log
#[utoipa::path(get, path = "/vault/proof/inclusion", tag = "vault")]
async fn prove_inclusion(
    State(state): State<AppState>,
    InProject(by): Reader,
    Query(query): Query<InclusionQuery>,
) -> Result<Json<Inclusion>, Problem> {
    Ok(Json(vault::inclusion(&state.vault, &by, query.index, query.size).await?))
}

/// The sizes to prove.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConsistencyQuery {
    /// The smaller size; 1 when left out.
    #[param(minimum = 1, maximum = 1_099_511_627_776_u64)]
    from: Option<u64>,
    /// The larger size; the log's when left out.
    #[param(minimum = 1, maximum = 1_099_511_627_776_u64)]
    to: Option<u64>,
}

/// Prove that the log only grew
#[utoipa::path(get, path = "/vault/proof/consistency", tag = "vault")]
async fn prove_consistency(
    State(state): State<AppState>,
    InProject(by): Reader,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<Consistency>, Problem> {
    Ok(Json(vault::consistency(&state.vault, &by, query.from.unwrap_or(1), query.to).await?))
}

/// A receipt to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceiptToVerify {
    /// The receipt's text (C2SP tlog-proof).
    #[schema(min_length = 1, max_length = 262_144, pattern = "^[^\\u0000]*$")]
    receipt: String,
}

/// Verify a receipt
///
/// Anybody may ask. The response is as good as this server. To trust nobody, check the receipt by
/// the page `/vault/{log}`, or by a tool of your own.
#[utoipa::path(post, path = "/vault/verify", tag = "vault")]
async fn verify_receipt(
    State(state): State<AppState>,
    AnonymousJson { body, .. }: AnonymousJson<ReceiptToVerify>,
) -> Result<Json<Verification>, Problem> {
    Ok(Json(vault::verify(&state.vault, &body.receipt)?))
}
