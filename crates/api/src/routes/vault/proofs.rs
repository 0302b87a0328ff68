//! `/v1/vault/log`, what witnesses have seen of it, `/v1/vault/seals/{index}/receipt` and `/v1/vault/proof`: a project's log, proved to its people; and `/v1/vault/verify`, for everybody.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use kernel::ids::ProjectId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use vault::{self, Consistency, Inclusion, Log, Verification, Witnessed};

use crate::{
    auth::{Anyone, InProject},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

pub(super) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(log))
        .routes(routes!(witnessed))
        .routes(routes!(receipt))
        .routes(routes!(inclusion))
        .routes(routes!(consistency))
        .merge(OpenApiRouter::new().routes(routes!(verify)).layer(DefaultBodyLimit::max(512 * 1024)))
}

/// Get the project's log
///
/// Its size, its signed checkpoint, and the keys that sign it.
#[utoipa::path(
    get,
    path = "/vault/log",
    tag = "vault",
    params(("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The log", body = Log)),
)]
async fn log(State(state): State<AppState>, caller: InProject) -> Result<Json<Log>, Problem> {
    Ok(Json(vault::log(&state.vault, &caller.principal).await?))
}

/// Get what witnesses have seen of the log
///
/// The newest head of the log that is in the meta-log as witnesses have cosigned it: its receipt there, with their cosignatures, and the proof that the log as it
/// now is continues it. With that no entry below its size can be changed or left out unnoticed, by us neither. 404 while no witness has seen the log.
#[utoipa::path(
    get,
    path = "/vault/log/witnessed",
    tag = "vault",
    params(("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "What they have seen", body = Witnessed)),
)]
async fn witnessed(State(state): State<AppState>, caller: InProject) -> Result<Json<Witnessed>, Problem> {
    Ok(Json(vault::witnessed(&state.vault, &caller.principal).await?))
}

/// Get a seal's receipt
///
/// A C2SP tlog-proof: the entry, the proof that it is in the log as it now is, and the signed checkpoint of that. It can be checked offline, by the page
/// `/vault/{log}` or by any tool that knows the format, for as long as the log's keys are known.
#[utoipa::path(
    get,
    path = "/vault/seals/{index}/receipt",
    tag = "vault",
    params(
        ("index" = u64, Path, minimum = 0, maximum = 1_099_511_627_776_u64, description = "The seal's place in the log"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several"),
    ),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The receipt", body = String, content_type = "text/plain")),
)]
async fn receipt(
    State(state): State<AppState>,
    caller: InProject,
    Path(index): Path<u64>,
) -> Result<Response, Problem> {
    let receipt = vault::receipt_of(&state.vault, &caller.principal, index).await?;
    Ok(([(header::CONTENT_TYPE, TEXT)], receipt).into_response())
}

/// Which entry, in which tree.
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
#[utoipa::path(
    get,
    path = "/vault/proof/inclusion",
    tag = "vault",
    params(InclusionQuery, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The proof", body = Inclusion)),
)]
async fn inclusion(
    State(state): State<AppState>,
    caller: InProject,
    Query(query): Query<InclusionQuery>,
) -> Result<Json<Inclusion>, Problem> {
    Ok(Json(vault::inclusion(&state.vault, &caller.principal, query.index, query.size).await?))
}

/// Between which sizes.
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
#[utoipa::path(
    get,
    path = "/vault/proof/consistency",
    tag = "vault",
    params(ConsistencyQuery, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The proof", body = Consistency)),
)]
async fn consistency(
    State(state): State<AppState>,
    caller: InProject,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<Consistency>, Problem> {
    Ok(Json(vault::consistency(&state.vault, &caller.principal, query.from.unwrap_or(1), query.to).await?))
}

/// A receipt to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ToVerify {
    /// The receipt's text (C2SP tlog-proof).
    #[schema(min_length = 1, max_length = 262_144, pattern = "^[^\\u0000]*$")]
    receipt: String,
}

/// Check a receipt
///
/// For everybody. The answer is as good as this server: who trusts nobody checks it by the page `/vault/{log}`, or by a tool of their own.
#[utoipa::path(
    post,
    path = "/vault/verify",
    tag = "vault",
    request_body = ToVerify,
    responses((status = 200, description = "What came of it", body = Verification)),
)]
async fn verify(
    State(state): State<AppState>,
    Anyone { body, .. }: Anyone<ToVerify>,
) -> Result<Json<Verification>, Problem> {
    Ok(Json(vault::verify(&state.vault, &body.receipt)?))
}
