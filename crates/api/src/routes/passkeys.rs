//! `/v1/me/passkeys` and `/v1/auth/passkeys`: WebAuthn, in two requests each.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::identity::passkeys::{self, Begun, Login, Passkey, Registration};
use kernel::{
    ids::{CeremonyId, PasskeyId},
    page::{Page, PageQuery},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{LoggedIn, Stranger, With},
    extract::{Path, Query},
    problem::Problem,
    routes::sessions::{RefreshTokenIn, Tokens, opened},
    state::AppState,
};

/// The routes of passkeys.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(finish))
        .routes(routes!(list))
        .routes(routes!(remove))
        .routes(routes!(begin_login))
        .routes(routes!(finish_login))
}

/// Begin to add a passkey
///
/// The page hands `options` to `navigator.credentials.create` and the outcome to `/me/passkeys/finish`, within five minutes.
#[utoipa::path(
    post,
    path = "/me/passkeys/begin",
    tag = "passkeys",
    security(("access_token" = [])),
    responses((status = 200, description = "Begun", body = Begun)),
)]
async fn begin(State(state): State<AppState>, LoggedIn(person): LoggedIn) -> Result<Json<Begun>, Problem> {
    Ok(Json(passkeys::begin_registration(&state.core, &state.party, &person).await?))
}

/// A passkey that the browser made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPasskey {
    /// As `begin` named it.
    ceremony_id: CeremonyId,
    /// For the person to tell their passkeys apart.
    #[schema(min_length = 1, max_length = 100, pattern = "^[^\\u0000-\\u001f\\u007f]*$", example = "Laptop")]
    name: String,
    /// What `navigator.credentials.create` gave: a `RegistrationResponseJSON`.
    #[schema(value_type = Object)]
    credential: Value,
}

/// Add the passkey
#[utoipa::path(
    post,
    path = "/me/passkeys/finish",
    tag = "passkeys",
    request_body = NewPasskey,
    security(("access_token" = [])),
    responses((status = 200, description = "Added", body = Passkey)),
)]
async fn finish(
    State(state): State<AppState>,
    With { caller: LoggedIn(person), body, .. }: With<LoggedIn, NewPasskey>,
) -> Result<Json<Passkey>, Problem> {
    let NewPasskey { ceremony_id: ceremony, name, credential } = body;
    let wanted = Registration { ceremony, name, credential };
    Ok(Json(passkeys::finish_registration(&state.core, &state.party, &person, wanted).await?))
}

/// List passkeys
#[utoipa::path(
    get,
    path = "/me/passkeys",
    tag = "passkeys",
    params(PageQuery),
    security(("access_token" = [])),
    responses((status = 200, description = "A page of passkeys", body = Page<Passkey>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = passkeys::list(&state.core, &person, page.try_into()?).await?;
    Ok(crate::page::respond("/v1/me/passkeys", limit, page))
}

/// Remove a passkey
#[utoipa::path(
    delete,
    path = "/me/passkeys/{passkey}",
    tag = "passkeys",
    params(("passkey" = PasskeyId, Path, description = "The passkey")),
    security(("access_token" = [])),
    responses((status = 204, description = "It can no longer be logged in with")),
)]
async fn remove(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(passkey): Path<PasskeyId>,
) -> Result<StatusCode, Problem> {
    passkeys::remove(&state.core, &person, passkey).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Nothing: who logs in, their device says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nobody {}

/// Begin to log in with a passkey
///
/// The page hands `options` to `navigator.credentials.get` and the outcome to `/auth/passkeys/finish`, within five minutes.
#[utoipa::path(
    post,
    path = "/auth/passkeys/begin",
    tag = "passkeys",
    request_body = Nobody,
    responses((status = 200, description = "Begun", body = Begun)),
)]
async fn begin_login(State(state): State<AppState>, _: Stranger<Nobody>) -> Result<Json<Begun>, Problem> {
    Ok(Json(passkeys::begin_login(&state.core, &state.party).await?))
}

/// A passkey's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// As `begin` named it.
    ceremony_id: CeremonyId,
    /// What `navigator.credentials.get` gave: an `AuthenticationResponseJSON`.
    #[schema(value_type = Object)]
    credential: Value,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_in: RefreshTokenIn,
}

/// Log in with a passkey
#[utoipa::path(
    post,
    path = "/auth/passkeys/finish",
    tag = "passkeys",
    request_body = Answer,
    responses((status = 200, description = "Logged in", body = Tokens)),
)]
async fn finish_login(State(state): State<AppState>, caller: Stranger<Answer>) -> Result<impl IntoResponse, Problem> {
    let Stranger { body, request, .. } = caller;
    let wanted = Login { ceremony: body.ceremony_id, credential: body.credential };
    let session = passkeys::finish_login(&state.core, &state.party, wanted, &request).await?;
    opened(&state, session, body.refresh_token_in)
}
