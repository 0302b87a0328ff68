//! Keeps sessions alive, and ends them.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use domain::identity::sessions::{self, RefreshToken};
use kernel::{Code, Error, Result, error::Codes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::tokens::{RefreshTokenIn, SessionReply};
use crate::{
    auth::AnonymousJson,
    cookie,
    problem::Problem,
    reply::NoContent,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A refresh token; empty for browsers, which send the cookie.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The token.
    #[serde(default)]
    #[schema(max_length = 48, pattern = "^hfr_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    refresh_token: Option<String>,
}

/// The codes of a refresh token that is read from the body or the cookie.
pub const COOKIE_ERRORS: Codes =
    &[&[Code::RefreshTokenInvalid, Code::CredentialsMissing, Code::OriginRefused]];

/// Returns the token of the body or the cookie, and its place. A cookie counts only from a page
/// that may use it: a browser sends it whatever page asks.
fn token(state: &AppState, headers: &HeaderMap, body: &Refresh) -> Result<(RefreshToken, RefreshTokenIn)> {
    let invalid = |_| Error::new(Code::RefreshTokenInvalid, "The refresh token is not complete");
    if let Some(text) = &body.refresh_token {
        return Ok((text.parse().map_err(invalid)?, RefreshTokenIn::Body));
    }
    let Some(text) = cookie::find(headers) else {
        let detail = "Send the refresh token in the body, or as the cookie";
        return Err(Error::new(Code::CredentialsMissing, detail));
    };
    cookie::check_origin(headers, &state.about.cookie_origins)?;
    Ok((text.parse().map_err(invalid)?, RefreshTokenIn::Cookie))
}

/// Refresh a session
///
/// Consumes the refresh token and returns the next one in the same place: in the body or in the
/// cookie. A token that was used before ends the session; the same client may repeat a request for
/// ten seconds.
#[utoipa::path(post, path = "/auth/refresh", tag = "sessions")]
pub async fn refresh_session(
    State(state): State<AppState>,
    caller: AnonymousJson<Refresh>,
) -> Result<SessionReply, Problem> {
    let (token, place) = token(&state, &caller.headers, &caller.body)?;
    let opened = sessions::refresh(&state.core, &token, &caller.request).await?;
    Ok(SessionReply::new(&state, opened, place)?)
}

/// Logged out (204); the cookie is cleared.
#[derive(Debug)]
pub struct LoggedOut {
    place: RefreshTokenIn,
}

impl IntoResponse for LoggedOut {
    fn into_response(self) -> Response {
        let mut response = NoContent.into_response();
        if self.place == RefreshTokenIn::Cookie {
            response.headers_mut().extend(cookie::clear());
        }
        response
    }
}

impl Describe for LoggedOut {
    fn describe(doc: &mut OperationDoc) {
        NoContent::describe(doc);
    }
}

/// Log out
///
/// Ends the session of the refresh token in the body or the cookie. Succeeds also if it has ended
/// already.
#[utoipa::path(post, path = "/auth/logout", tag = "sessions")]
pub async fn log_out(
    State(state): State<AppState>,
    caller: AnonymousJson<Refresh>,
) -> Result<LoggedOut, Problem> {
    let (token, place) = token(&state, &caller.headers, &caller.body)?;
    sessions::logout(&state.core, &token, &caller.request).await?;
    Ok(LoggedOut { place })
}
