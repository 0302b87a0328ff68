//! `/v1/me`: a person's account, in their own hands.

use axum::{Extension, Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::identity::users::{self, Account, ChangePassword, Export, Profile, Receipt};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{LoggedIn, With},
    edge::Meter,
    problem::Problem,
    state::AppState,
    version::{IfMatch, Tagged, Versioned},
};

/// The routes of one's account.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get, rename, close))
        .routes(routes!(keep))
        .routes(routes!(export))
        .routes(routes!(change_password))
}

impl Versioned for Account {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Get my account
#[utoipa::path(
    get,
    path = "/me",
    tag = "accounts",
    security(("access_token" = [])),
    responses((status = 200, description = "The account", body = Account, headers(("ETag" = String, description = "Its version")))),
)]
async fn get(State(state): State<AppState>, LoggedIn(person): LoggedIn) -> Result<Tagged<Account>, Problem> {
    Ok(Tagged(StatusCode::OK, users::get(&state.core, &person).await?))
}

/// Change my name
#[utoipa::path(
    patch,
    path = "/me",
    tag = "accounts",
    params(("If-Match" = String, Header, description = "The `ETag` of what is changed, or `*`")),
    request_body = Profile,
    security(("access_token" = [])),
    responses((status = 200, description = "Changed", body = Account, headers(("ETag" = String, description = "Its version")))),
)]
async fn rename(
    State(state): State<AppState>,
    if_match: Result<IfMatch, Problem>,
    With { caller: LoggedIn(person), body, .. }: With<LoggedIn, Profile>,
) -> Result<Tagged<Account>, Problem> {
    let IfMatch(expected) = if_match?;
    Ok(Tagged(StatusCode::OK, users::rename(&state.core, &person, &body, expected).await?))
}

/// Have my account erased
///
/// In 14 days; until then it can be taken back. The answer is the receipt.
#[utoipa::path(
    delete,
    path = "/me",
    tag = "accounts",
    security(("access_token" = [])),
    responses((status = 202, description = "It will be erased", body = Receipt)),
)]
async fn close(State(state): State<AppState>, LoggedIn(person): LoggedIn) -> Result<impl IntoResponse, Problem> {
    let receipt = users::close(&state.core, &person).await?;
    state.credentials.forget_sessions();
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// Keep my account after all
#[utoipa::path(
    post,
    path = "/me/restore",
    tag = "accounts",
    security(("access_token" = [])),
    responses((status = 204, description = "It will not be erased")),
)]
async fn keep(State(state): State<AppState>, LoggedIn(person): LoggedIn) -> Result<StatusCode, Problem> {
    users::keep(&state.core, &person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Export what is kept of me
#[utoipa::path(
    get,
    path = "/me/export",
    tag = "accounts",
    security(("access_token" = [])),
    responses((status = 200, description = "Everything, as one document", body = Export)),
)]
async fn export(State(state): State<AppState>, LoggedIn(person): LoggedIn) -> Result<Json<Export>, Problem> {
    Ok(Json(users::export(&state.core, &person).await?))
}

/// Change my password
///
/// Ends the other sessions.
#[utoipa::path(
    post,
    path = "/me/password",
    tag = "accounts",
    request_body = ChangePassword,
    security(("access_token" = [])),
    responses((status = 204, description = "The password is the new one")),
)]
async fn change_password(
    State(state): State<AppState>,
    Extension(meter): Extension<Meter>,
    With { caller: LoggedIn(person), body, .. }: With<LoggedIn, ChangePassword>,
) -> Result<StatusCode, Problem> {
    // A stolen access token must not serve to guess the password.
    meter.take_auth(&state, &format!("auth:{}", person.user)).await?;
    users::change(&state.core, &state.passwords, &person, &body).await?;
    state.credentials.forget_sessions();
    Ok(StatusCode::NO_CONTENT)
}
