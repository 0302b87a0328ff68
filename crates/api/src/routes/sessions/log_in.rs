//! Logs in with a password.

use axum::extract::State;
use domain::identity::{
    password::Password,
    sessions::{self, Login},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::tokens::{RefreshTokenIn, SessionReply};
use crate::{auth::Anonymous, problem::Problem, state::AppState};

/// An address and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The account's address.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// Its password.
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: Password,
    /// The place of the refresh token.
    #[serde(default)]
    refresh_token_in: RefreshTokenIn,
}

/// Log in
///
/// The response is the same, and takes as long, whether there is no such account or the password is
/// wrong.
#[utoipa::path(post, path = "/auth/login", tag = "sessions")]
pub async fn log_in(
    State(state): State<AppState>,
    caller: Anonymous<Credentials>,
) -> Result<SessionReply, Problem> {
    let Credentials { email, password, refresh_token_in } = &caller.body;
    caller.count_for(&state, email).await?;
    let wanted = Login { email, password };
    let opened = sessions::login(&state.core, &state.passwords, &wanted, &caller.request).await?;
    Ok(SessionReply::new(&state, opened, *refresh_token_in)?)
}
