//! `/v1/auth/signup` and what else is done before one can log in. Nothing here tells whether an address has an account.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::identity::{
    password::Password,
    users::{self, ResetPassword, SignUp, Verification},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Stranger,
    problem::Problem,
    routes::sessions::{RefreshTokenIn, opened},
    state::AppState,
};

/// The routes of signing up.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(verify))
        .routes(routes!(send_again))
        .routes(routes!(forgot))
        .routes(routes!(reset))
}

/// That mail is on its way, if there is any to send.
#[derive(Debug, Serialize, ToSchema)]
struct OnItsWay {
    /// What happens now.
    detail: &'static str,
}

fn on_its_way(detail: &'static str) -> (StatusCode, Json<OnItsWay>) {
    (StatusCode::ACCEPTED, Json(OnItsWay { detail }))
}

/// An address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Address {
    /// Whose account is meant.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// Sign up
///
/// Mails a link to verify the address. When it has an account already, that is mailed instead; the answer is the same.
#[utoipa::path(
    post,
    path = "/auth/signup",
    tag = "accounts",
    request_body = SignUp,
    responses((status = 202, description = "A mail is on its way", body = OnItsWay)),
)]
async fn sign_up(State(state): State<AppState>, caller: Stranger<SignUp>) -> Result<impl IntoResponse, Problem> {
    caller.count_for(&state, &caller.body.email).await?;
    users::sign_up(&state.core, &state.passwords, &caller.body, &caller.request).await?;
    Ok(on_its_way("Open the link that was mailed to you to verify your address"))
}

/// A mailed token, and the password chosen at sign-up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyEmail {
    /// From the link.
    #[schema(max_length = 64, pattern = "^hfm_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    token: String,
    /// As chosen at sign-up.
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: Password,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_in: RefreshTokenIn,
}

/// Verify the address, and log in
///
/// It takes the password as well: who signed up with somebody else's address cannot have them open the account.
#[utoipa::path(
    post,
    path = "/auth/verify-email",
    tag = "accounts",
    request_body = VerifyEmail,
    responses((status = 200, description = "Logged in", body = crate::routes::sessions::Tokens)),
)]
async fn verify(State(state): State<AppState>, caller: Stranger<VerifyEmail>) -> Result<Response, Problem> {
    let wanted = Verification { token: &caller.body.token, password: &caller.body.password };
    let session = users::verify(&state.core, &state.passwords, &wanted, &caller.request).await?;
    opened(&state, session, caller.body.refresh_token_in)
}

/// Mail another link to verify the address
///
/// If it has an account that wants one; the answer is the same if not.
#[utoipa::path(
    post,
    path = "/auth/verify-email/send",
    tag = "accounts",
    request_body = Address,
    responses((status = 202, description = "A mail is on its way, if there is any to send", body = OnItsWay)),
)]
async fn send_again(State(state): State<AppState>, caller: Stranger<Address>) -> Result<impl IntoResponse, Problem> {
    caller.count_for(&state, &caller.body.email).await?;
    users::send_again(&state.core, &caller.body.email, &caller.request).await?;
    Ok(on_its_way("If the address has an account that is not verified, another link is on its way"))
}

/// Mail a link to choose a new password
///
/// If the address has an account; the answer is the same if not.
#[utoipa::path(
    post,
    path = "/auth/password/forgot",
    tag = "accounts",
    request_body = Address,
    responses((status = 202, description = "A mail is on its way, if there is any to send", body = OnItsWay)),
)]
async fn forgot(State(state): State<AppState>, caller: Stranger<Address>) -> Result<impl IntoResponse, Problem> {
    caller.count_for(&state, &caller.body.email).await?;
    users::forgot(&state.core, &caller.body.email, &caller.request).await?;
    Ok(on_its_way("If the address has an account, a link to choose a new password is on its way"))
}

/// Choose a new password
///
/// Ends every session of the account, and verifies its address.
#[utoipa::path(
    post,
    path = "/auth/password/reset",
    tag = "accounts",
    request_body = ResetPassword,
    responses((status = 204, description = "The password is the new one")),
)]
async fn reset(State(state): State<AppState>, caller: Stranger<ResetPassword>) -> Result<StatusCode, Problem> {
    users::reset(&state.core, &state.passwords, &caller.body, &caller.request).await?;
    state.credentials.forget_sessions();
    Ok(StatusCode::NO_CONTENT)
}
