//! `/v1/vault/seals`: makes seals, and finds them.

use axum::{Json, extract::State};
use kernel::caller::allow;
use vault::{self, Filter, NewSeal, NewSeals, Seal, SealInFull, Sealed, SealedBatch, Tally};

use super::{
    limits::{BATCH_BODY, SEAL_BODY},
    path::SealIndex,
};
use crate::{
    auth::{InProject, JsonBody},
    extract::{List, Path, Query},
    operation,
    problem::Problem,
    reply::{Created, Listed},
    route::Routes,
    state::AppState,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(operation!(seal_record, vault::APPEND_ONE_ERRORS).body_limit(SEAL_BODY))
        .add(operation!(seal_records, vault::APPEND_ERRORS).body_limit(BATCH_BODY))
        .add(operation!(list_seals, vault::LIST_ERRORS))
        .add(operation!(count_seals, vault::COUNT_ERRORS))
        .add(operation!(get_seal, vault::GET_ERRORS))
}

/// Seal a record
///
/// Appends to the project's log. Everybody who knows the log can read its entries, forever. The
/// response comes after the commit, with the signed checkpoint and the proof that the entry is in
/// its tree.
#[utoipa::path(post, path = "/vault/seals", tag = "vault")]
async fn seal_record(
    State(state): State<AppState>,
    JsonBody { caller: InProject(by), body, .. }: JsonBody<InProject<allow::VaultWrite>, NewSeal>,
) -> Result<Created<Sealed>, Problem> {
    Ok(Created(state.appender.append_one(&by, &body).await?))
}

/// Seal several records
///
/// Seals up to 1,000 records, one after the other in the log, all or none.
#[utoipa::path(post, path = "/vault/seals/batch", tag = "vault")]
async fn seal_records(
    State(state): State<AppState>,
    JsonBody { caller: InProject(by), body, .. }: JsonBody<InProject<allow::VaultWrite>, NewSeals>,
) -> Result<Created<SealedBatch>, Problem> {
    Ok(Created(state.appender.append(&by, &body).await?))
}

/// List seals
///
/// The seals that all filters select, newest first.
#[utoipa::path(get, path = "/vault/seals", tag = "vault")]
async fn list_seals(
    State(state): State<AppState>,
    InProject(by): InProject<allow::VaultRead>,
    list: List<Filter>,
) -> Result<Listed<Seal>, Problem> {
    Ok(list.reply(vault::list(&state.vault, &by, &list.filter, list.page).await?))
}

/// Count seals
///
/// Counts the seals that all filters select, by verdict. Without a filter it costs nothing, since
/// the log keeps count.
#[utoipa::path(get, path = "/vault/seals/counts", tag = "vault")]
async fn count_seals(
    State(state): State<AppState>,
    InProject(by): InProject<allow::VaultRead>,
    Query(filter): Query<Filter>,
) -> Result<Json<Tally>, Problem> {
    Ok(Json(vault::count(&state.vault, &by, &filter).await?))
}

/// Get a seal
///
/// The seal with its personal data, as long as that is not erased.
#[utoipa::path(get, path = "/vault/seals/{index}", tag = "vault")]
async fn get_seal(
    State(state): State<AppState>,
    InProject(by): InProject<allow::VaultRead>,
    Path(SealIndex(index)): Path<SealIndex>,
) -> Result<Json<SealInFull>, Problem> {
    Ok(Json(vault::get(&state.vault, &by, index).await?))
}
