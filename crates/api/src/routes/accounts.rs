//! `/v1/auth/signup` and the other steps before logging in. No response tells whether an address
//! has an account.

use axum::extract::State;
use domain::identity::{
    password::Password,
    users::{self, ResetPassword, SignUp, Verification},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Anonymous,
    limits::SMALL_BODY,
    operation,
    problem::Problem,
    reply::{NoContent, Queued},
    route::Routes,
    routes::sessions::{RefreshTokenIn, SessionReply},
    state::AppState,
};

/// The routes of signing up.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(sign_up, users::SIGN_UP_ERRORS))
        .add(operation!(verify_email, users::VERIFY_ERRORS))
        .add(operation!(resend_verification, users::SEND_AGAIN_ERRORS))
        .add(operation!(request_password_reset, users::FORGOT_ERRORS))
        .add(operation!(reset_password, users::RESET_ERRORS))
        .body_limit(SMALL_BODY)
}

/// Mail that is on its way, if there is any to send.
#[derive(Debug, Serialize, ToSchema)]
struct MailQueued {
    /// The next step.
    detail: &'static str,
}

/// An address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Address {
    /// The account's address.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// Sign up
///
/// Mails a link that verifies the address. When the address has an account already, the mail says
/// so instead; the response is the same.
#[utoipa::path(post, path = "/auth/signup", tag = "accounts")]
async fn sign_up(
    State(state): State<AppState>,
    caller: Anonymous<SignUp>,
) -> Result<Queued<MailQueued>, Problem> {
    caller.count_for(&state, &caller.body.email).await?;
    users::sign_up(&state.core, &state.passwords, &caller.body, &caller.request).await?;
    Ok(Queued(MailQueued { detail: "Open the link that was mailed to you to verify your address" }))
}

/// A mailed token, and the password chosen at sign-up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyEmail {
    /// The token in the link.
    #[schema(max_length = 64, pattern = "^hfm_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    token: String,
    /// The password, as chosen at sign-up.
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: Password,
    /// The place of the refresh token.
    #[serde(default)]
    refresh_token_in: RefreshTokenIn,
}

/// Verify an email address and log in
///
/// Requires the password as well: a person who signed up with another's address cannot have them
/// open the account.
#[utoipa::path(post, path = "/auth/verify-email", tag = "accounts")]
async fn verify_email(
    State(state): State<AppState>,
    caller: Anonymous<VerifyEmail>,
) -> Result<SessionReply, Problem> {
    let wanted = Verification { token: &caller.body.token, password: &caller.body.password };
    let opened = users::verify(&state.core, &state.passwords, &wanted, &caller.request).await?;
    Ok(SessionReply::new(&state, opened, caller.body.refresh_token_in)?)
}

/// Resend the verification mail
///
/// Sends it if the address has an account that is not verified; the response is the same if not.
#[utoipa::path(post, path = "/auth/verify-email/send", tag = "accounts")]
async fn resend_verification(
    State(state): State<AppState>,
    caller: Anonymous<Address>,
) -> Result<Queued<MailQueued>, Problem> {
    caller.count_for(&state, &caller.body.email).await?;
    users::send_again(&state.core, &caller.body.email, &caller.request).await?;
    let detail = "If the address has an account that is not verified, another link is on its way";
    Ok(Queued(MailQueued { detail }))
}

/// Request a password reset
///
/// Mails a link to choose a new password if the address has an account; the response is the same if
/// not.
#[utoipa::path(post, path = "/auth/password/forgot", tag = "accounts")]
async fn request_password_reset(
    State(state): State<AppState>,
    caller: Anonymous<Address>,
) -> Result<Queued<MailQueued>, Problem> {
    caller.count_for(&state, &caller.body.email).await?;
    users::forgot(&state.core, &caller.body.email, &caller.request).await?;
    let detail = "If the address has an account, a link to choose a new password is on its way";
    Ok(Queued(MailQueued { detail }))
}

/// Reset a password
///
/// Ends every session of the account, and verifies its address.
#[utoipa::path(post, path = "/auth/password/reset", tag = "accounts")]
async fn reset_password(
    State(state): State<AppState>,
    caller: Anonymous<ResetPassword>,
) -> Result<NoContent, Problem> {
    users::reset(&state.core, &state.passwords, &caller.body, &caller.request).await?;
    Ok(NoContent)
}
