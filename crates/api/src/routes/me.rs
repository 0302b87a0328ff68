//! `/v1/me`: the account of the person who asks.

use axum::{Extension, Json, extract::State};
use domain::identity::users::{
    self, Account, CHANGE_ERRORS, CLOSE_ERRORS, ChangePassword, ErasureReceipt, Export, ProfilePatch,
    RESTORE_ERRORS, UPDATE_ERRORS,
};

use crate::{
    auth::{JsonBody, LoggedIn},
    edge::Meter,
    extract::IfMatch,
    operation,
    problem::Problem,
    reply::{Found, NoContent, Queued},
    route::Routes,
    state::AppState,
};

/// The routes of the caller's own account.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(get_me))
        .add(operation!(update_me, UPDATE_ERRORS))
        .add(operation!(delete_me, CLOSE_ERRORS))
        .add(operation!(cancel_account_deletion, RESTORE_ERRORS))
        .add(operation!(export_me))
        .add(operation!(change_password, CHANGE_ERRORS))
}

/// Get the account
#[utoipa::path(get, path = "/me", tag = "accounts")]
async fn get_me(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
) -> Result<Found<Account>, Problem> {
    Ok(Found::new(&users::get(&state.core, &person).await?)?)
}

/// Update the account
#[utoipa::path(patch, path = "/me", tag = "accounts")]
async fn update_me(
    State(state): State<AppState>,
    if_match: Result<IfMatch, Problem>,
    JsonBody { caller: LoggedIn(person), body, .. }: JsonBody<LoggedIn, ProfilePatch>,
) -> Result<Found<Account>, Problem> {
    let IfMatch(expected) = if_match?;
    Ok(Found::new(&users::update(&state.core, &person, &body, expected).await?)?)
}

/// Delete the account
///
/// It is erased in 14 days; until then the deletion can be canceled. The response is the receipt.
#[utoipa::path(delete, path = "/me", tag = "accounts")]
async fn delete_me(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
) -> Result<Queued<ErasureReceipt>, Problem> {
    Ok(Queued(users::close(&state.core, &person).await?))
}

/// Cancel account deletion
#[utoipa::path(post, path = "/me/restore", tag = "accounts")]
async fn cancel_account_deletion(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
) -> Result<NoContent, Problem> {
    users::restore(&state.core, &person).await?;
    Ok(NoContent)
}

/// Export the account
///
/// Returns everything that is kept of the person, as one document.
#[utoipa::path(get, path = "/me/export", tag = "accounts")]
async fn export_me(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
) -> Result<Json<Export>, Problem> {
    Ok(Json(users::export(&state.core, &person).await?))
}

/// Change the password
///
/// Ends the other sessions.
#[utoipa::path(post, path = "/me/password", tag = "accounts")]
async fn change_password(
    State(state): State<AppState>,
    Extension(meter): Extension<Meter>,
    JsonBody { caller: LoggedIn(person), body, .. }: JsonBody<LoggedIn, ChangePassword>,
) -> Result<NoContent, Problem> {
    // A stolen access token must not help to guess the password.
    meter.take_auth(&state, &format!("auth:{}", person.user)).await?;
    users::change(&state.core, &state.passwords, &person, &body).await?;
    Ok(NoContent)
}
