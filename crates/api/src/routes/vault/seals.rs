//! `/v1/vault/seals`: appending, and finding what was appended.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use kernel::{
    Error,
    crypto::{base64, hex},
    ids::{LogId, ProjectId},
    page::{Page, PageQuery},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use vault::{self, Appended, Filter, NewSeal, NewSeals, Placed, RecordProof, Seal, SealInFull, Tally, Verdict};

use crate::{
    auth::{InProject, With},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

/// Payload and personal data, and room for what stands around them.
const ONE_BODY: usize = 160 * 1024;
/// A thousand small seals, or fewer large ones.
const BATCH_BODY: usize = 8 * 1024 * 1024;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(seal))
        .layer(DefaultBodyLimit::max(ONE_BODY))
        .merge(OpenApiRouter::new().routes(routes!(seal_batch)).layer(DefaultBodyLimit::max(BATCH_BODY)))
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(get))
}

/// A seal that was appended, with what proves it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sealed {
    /// The project's log.
    log: LogId,
    /// The seal's place in the log.
    #[schema(minimum = 0)]
    index: u64,
    /// When it was sealed.
    at: DateTime<Utc>,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    leaf_hash: String,
    /// The size of the tree that the checkpoint is of.
    #[schema(minimum = 1)]
    size: u64,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    #[schema(max_length = 16384)]
    checkpoint: String,
    /// The hashes beside the way from the leaf to the checkpoint's root, the leaf's sibling first, in base64 (RFC 6962, section 2.1.1).
    inclusion_proof: Vec<String>,
}

impl Sealed {
    /// Of the one seal that was appended.
    ///
    /// # Errors
    /// None but a fault of ours.
    pub fn one(appended: Appended) -> Result<Self, Error> {
        let mut seals = appended.seals.iter().map(|seal| SealedOne::of(&appended, seal));
        let SealedOne { index, at, leaf_hash, inclusion_proof } =
            seals.next().ok_or_else(|| Error::internal("nothing was sealed"))?;
        let (log, size, checkpoint) = (appended.log, appended.size, appended.checkpoint.to_string());
        Ok(Self { log, index, at, leaf_hash, size, checkpoint, inclusion_proof })
    }
}

/// One of several seals that were appended.
#[derive(Debug, Serialize, ToSchema)]
struct SealedOne {
    /// Its place in the log.
    #[schema(minimum = 0)]
    index: u64,
    /// When it was sealed.
    at: DateTime<Utc>,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    leaf_hash: String,
    /// The hashes beside the way from the leaf to the checkpoint's root, the leaf's sibling first, in base64.
    inclusion_proof: Vec<String>,
}

impl SealedOne {
    fn of(appended: &Appended, (placed, proof): &(Placed, RecordProof)) -> Self {
        Self {
            index: placed.index,
            at: appended.at,
            leaf_hash: hex(&placed.leaf.0),
            inclusion_proof: proof.iter().map(|hash| base64(&hash.0)).collect(),
        }
    }
}

/// Seals that were appended, with what proves them.
#[derive(Debug, Serialize, ToSchema)]
struct SealedBatch {
    /// The project's log.
    log: LogId,
    /// The size of the tree that the checkpoint is of.
    #[schema(minimum = 1)]
    size: u64,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    #[schema(max_length = 16384)]
    checkpoint: String,
    /// The seals, in the order of the request.
    seals: Vec<SealedOne>,
}

/// Seal something
///
/// Appends to the project's log, whose entries are for everybody who knows the log, and for ever. The answer is the receipt: it comes after the commit, with the
/// signed checkpoint and the proof that the entry is in its tree.
#[utoipa::path(
    post,
    path = "/vault/seals",
    tag = "vault",
    params(("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    request_body = NewSeal,
    security(("api_key" = ["vault:write"]), ("agent_signature" = []), ("access_token" = ["vault:write"])),
    responses((status = 201, description = "Sealed", body = Sealed, headers(("Location" = String, description = "The seal")))),
)]
async fn seal(
    State(state): State<AppState>,
    With { caller, body, once }: With<InProject, NewSeal>,
) -> Result<Response, Problem> {
    let InProject { principal, proof } = caller;
    Ok(created(Sealed::one(state.appender.append_one(&principal, &body, once, proof).await?)?))
}

pub(super) fn created(sealed: Sealed) -> Response {
    let location = format!("/v1/vault/seals/{}", sealed.index);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(sealed)).into_response()
}

/// Seal several things
///
/// Up to 1,000, one after the other in the log, all or none.
#[utoipa::path(
    post,
    path = "/vault/seals/batch",
    tag = "vault",
    params(("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    request_body = NewSeals,
    security(("api_key" = ["vault:write"]), ("agent_signature" = []), ("access_token" = ["vault:write"])),
    responses((status = 201, description = "Sealed", body = SealedBatch)),
)]
async fn seal_batch(
    State(state): State<AppState>,
    With { caller, body, once }: With<InProject, NewSeals>,
) -> Result<Response, Problem> {
    let InProject { principal, proof } = caller;
    let appended = state.appender.append(&principal, &body, once, proof).await?;
    let seals = appended.seals.iter().map(|seal| SealedOne::of(&appended, seal)).collect();
    let (log, size, checkpoint) = (appended.log, appended.size, appended.checkpoint.to_string());
    Ok((StatusCode::CREATED, Json(SealedBatch { log, size, checkpoint, seals })).into_response())
}

/// [`Filter`] and [`PageQuery`] in one query, which serde cannot put together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    kind: Option<String>,
    verdict: Option<Verdict>,
    actor: Option<String>,
    session_id: Option<String>,
    subject: Option<String>,
    tag: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// List seals
///
/// Those that all filters want, newest first.
#[utoipa::path(
    get,
    path = "/vault/seals",
    tag = "vault",
    params(Filter, PageQuery, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "A page of seals", body = Page<Seal>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    caller: InProject,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let ListQuery { kind, verdict, actor, session_id, subject, tag, from, to, limit, cursor } = query;
    let filter = Filter { kind, verdict, actor, session_id, subject, tag, from, to };
    let page = PageQuery { limit, cursor }.try_into()?;
    let page = vault::list(&state.vault, &caller.principal, &filter, page).await?;
    let times = [("from", filter.from), ("to", filter.to)].map(|(name, at)| (name, at.map(|at| at.to_rfc3339())));
    let texts = [
        ("kind", filter.kind),
        ("verdict", filter.verdict.map(|verdict| verdict.to_string())),
        ("actor", filter.actor),
        ("session_id", filter.session_id),
        ("subject", filter.subject),
        ("tag", filter.tag),
    ];
    let kept = texts.into_iter().chain(times).filter_map(|(name, value)| Some((name, value?)));
    Ok(crate::page::respond_to("/v1/vault/seals", kept, limit, page))
}

/// Count seals
///
/// How many seals that all filters want have each verdict. Without a filter it costs nothing, since the log keeps count.
#[utoipa::path(
    get,
    path = "/vault/seals/counts",
    tag = "vault",
    params(Filter, ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several")),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The counts", body = Tally)),
)]
async fn counts(
    State(state): State<AppState>,
    caller: InProject,
    Query(filter): Query<Filter>,
) -> Result<Json<Tally>, Problem> {
    Ok(Json(vault::count(&state.vault, &caller.principal, &filter).await?))
}

/// Get a seal
///
/// With its personal data, as long as that is not erased.
#[utoipa::path(
    get,
    path = "/vault/seals/{index}",
    tag = "vault",
    params(
        ("index" = u64, Path, minimum = 0, maximum = 1_099_511_627_776_u64, description = "The seal's place in the log"),
        ("Holdfast-Project" = Option<ProjectId>, Header, description = "Which project a person means, or an agent of several"),
    ),
    security(("api_key" = ["vault:read"]), ("agent_signature" = []), ("access_token" = ["vault:read"])),
    responses((status = 200, description = "The seal", body = SealInFull)),
)]
async fn get(
    State(state): State<AppState>,
    caller: InProject,
    Path(index): Path<u64>,
) -> Result<Json<SealInFull>, Problem> {
    Ok(Json(vault::get(&state.vault, &caller.principal, index).await?))
}
