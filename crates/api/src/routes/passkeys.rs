//! `/v1/me/passkeys` and `/v1/auth/passkeys`: WebAuthn, in two requests each.

use axum::{Json, extract::State};
use domain::identity::passkeys::{
    self, BEGIN_REGISTRATION_ERRORS, Begun, FINISH_LOGIN_ERRORS, FINISH_REGISTRATION_ERRORS, Login, Passkey,
    REMOVE_ERRORS, Registration,
};
use kernel::ids::{CeremonyId, PasskeyId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    auth::{Anonymous, JsonBody, LoggedIn},
    extract::{List, Path},
    limits::SMALL_BODY,
    operation,
    problem::Problem,
    reply::{Listed, NoContent},
    route::Routes,
    routes::sessions::{RefreshTokenIn, SessionReply},
    state::AppState,
};

/// The routes of passkeys.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(begin_passkey_registration, BEGIN_REGISTRATION_ERRORS))
        .add(operation!(finish_passkey_registration, FINISH_REGISTRATION_ERRORS))
        .add(operation!(list_passkeys))
        .add(operation!(remove_passkey, REMOVE_ERRORS))
        .add(operation!(begin_passkey_login))
        .add(operation!(finish_passkey_login, FINISH_LOGIN_ERRORS))
        .body_limit(SMALL_BODY)
}

/// Begin a passkey registration
///
/// The page hands `options` to `navigator.credentials.create` and the result to
/// `/me/passkeys/finish`, within five minutes.
#[utoipa::path(post, path = "/me/passkeys/begin", tag = "passkeys")]
async fn begin_passkey_registration(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
) -> Result<Json<Begun>, Problem> {
    Ok(Json(passkeys::begin_registration(&state.core, &state.party, &person).await?))
}

/// A passkey that the browser created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPasskey {
    /// The ceremony's id, from `begin`.
    ceremony_id: CeremonyId,
    /// A name for the person to tell their passkeys apart.
    #[schema(min_length = 1, max_length = 100, pattern = "^[^\\u0000-\\u001f\\u007f]*$", example = "Laptop")]
    name: String,
    /// The result of `navigator.credentials.create`: a `RegistrationResponseJSON`.
    #[schema(value_type = Object)]
    credential: Value,
}

/// Finish a passkey registration
#[utoipa::path(post, path = "/me/passkeys/finish", tag = "passkeys")]
async fn finish_passkey_registration(
    State(state): State<AppState>,
    JsonBody { caller: LoggedIn(person), body, .. }: JsonBody<LoggedIn, NewPasskey>,
) -> Result<Json<Passkey>, Problem> {
    let NewPasskey { ceremony_id: ceremony, name, credential } = body;
    let wanted = Registration { ceremony, name, credential };
    Ok(Json(passkeys::finish_registration(&state.core, &state.party, &person, wanted).await?))
}

/// List passkeys
#[utoipa::path(get, path = "/me/passkeys", tag = "passkeys")]
async fn list_passkeys(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    list: List,
) -> Result<Listed<Passkey>, Problem> {
    Ok(list.reply(passkeys::list(&state.core, &person, list.page).await?))
}

/// Remove a passkey
#[utoipa::path(delete, path = "/me/passkeys/{passkey}", tag = "passkeys")]
async fn remove_passkey(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(passkey): Path<PasskeyId>,
) -> Result<NoContent, Problem> {
    passkeys::remove(&state.core, &person, passkey).await?;
    Ok(NoContent)
}

/// Nothing: the device determines who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// Begin a passkey login
///
/// The page hands `options` to `navigator.credentials.get` and the result to
/// `/auth/passkeys/finish`, within five minutes.
#[utoipa::path(post, path = "/auth/passkeys/begin", tag = "passkeys")]
async fn begin_passkey_login(
    State(state): State<AppState>,
    caller: Anonymous<Empty>,
) -> Result<Json<Begun>, Problem> {
    Ok(Json(passkeys::begin_login(&state.core, &state.party, &caller.request).await?))
}

/// A passkey's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasskeyAnswer {
    /// The ceremony's id, from `begin`.
    ceremony_id: CeremonyId,
    /// The result of `navigator.credentials.get`: an `AuthenticationResponseJSON`.
    #[schema(value_type = Object)]
    credential: Value,
    /// The place of the refresh token.
    #[serde(default)]
    refresh_token_in: RefreshTokenIn,
}

/// Finish a passkey login
#[utoipa::path(post, path = "/auth/passkeys/finish", tag = "passkeys")]
async fn finish_passkey_login(
    State(state): State<AppState>,
    caller: Anonymous<PasskeyAnswer>,
) -> Result<SessionReply, Problem> {
    let Anonymous { body, request, .. } = caller;
    let wanted = Login { ceremony: body.ceremony_id, credential: body.credential };
    let opened = passkeys::finish_login(&state.core, &state.party, wanted, &request).await?;
    Ok(SessionReply::new(&state, opened, body.refresh_token_in)?)
}
