//! `/v1/auth`: logging in, staying so, and logging out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::identity::{
    access_token::{Bearer, Jwks, LIFETIME},
    password::Password,
    sessions::{self, Login, Opened, RefreshToken, Session},
};
use kernel::{
    Code, Error,
    ids::SessionId,
    page::{Page, PageQuery},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Anyone, LoggedIn, Stranger},
    cookie,
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

/// The routes of sessions, under the version prefix.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(list, revoke_others))
        .routes(routes!(revoke))
}

/// The public keys, where every verifier looks for them.
pub fn well_known() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(key_set))
}

/// Where a refresh token goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokenIn {
    /// Into the answer, for clients that keep it themselves.
    #[default]
    Body,
    /// Into a cookie that scripts cannot read, for browsers.
    Cookie,
}

/// What a session is used by.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// Proves the person for 15 minutes, as `Authorization: Bearer …`: a JWT.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// The session.
    session_id: SessionId,
    /// Gets the next access token, and is good for one use; null when it went into the cookie.
    #[schema(required = true)]
    refresh_token: Option<String>,
}

/// The answer to whoever opened a session or kept one alive.
pub fn opened(state: &AppState, opened: Opened, place: RefreshTokenIn) -> Result<Response, Problem> {
    let bearer = Bearer { user: opened.user, session: opened.session };
    let access_token = state.tokens.mint(bearer, state.core.clock.now(), &state.core.ids)?;
    let kept = (place == RefreshTokenIn::Body).then(|| opened.refresh.reveal().to_owned());
    let tokens = Tokens {
        access_token,
        token_type: "Bearer",
        expires_in: LIFETIME.num_seconds(),
        session_id: opened.session,
        refresh_token: kept,
    };
    let mut response = Json(tokens).into_response();
    if place == RefreshTokenIn::Cookie {
        response.headers_mut().extend(cookie::set(&opened.refresh));
    }
    Ok(response)
}

/// E-mail address and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The account's address.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// Its password.
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: Password,
    /// Where the refresh token goes.
    #[serde(default)]
    refresh_token_in: RefreshTokenIn,
}

/// Log in
///
/// The answer is the same, and takes as long, whether there is no such account or the password is wrong.
#[utoipa::path(
    post,
    path = "/auth/login",
    tag = "sessions",
    request_body = Credentials,
    responses((status = 200, description = "Logged in", body = Tokens)),
)]
async fn login(State(state): State<AppState>, caller: Stranger<Credentials>) -> Result<Response, Problem> {
    let Credentials { email, password, refresh_token_in } = &caller.body;
    caller.count_for(&state, email).await?;
    let session = sessions::login(&state.core, &state.passwords, &Login { email, password }, &caller.request).await?;
    opened(&state, session, *refresh_token_in)
}

/// A refresh token; empty for browsers, which send the cookie.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The token.
    #[serde(default)]
    #[schema(max_length = 48, pattern = "^hfr_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    refresh_token: Option<String>,
}

/// The token of the body or the cookie, and where it was. A cookie counts only from a page that may use it: a browser sends it whoever wrote the page.
fn token(state: &AppState, headers: &HeaderMap, body: &Refresh) -> Result<(RefreshToken, RefreshTokenIn), Error> {
    let invalid = |_| Error::new(Code::RefreshTokenInvalid, "The refresh token is not complete");
    if let Some(text) = &body.refresh_token {
        return Ok((text.parse().map_err(invalid)?, RefreshTokenIn::Body));
    }
    let Some(text) = cookie::find(headers) else {
        return Err(Error::new(Code::CredentialsMissing, "Send the refresh token in the body, or as the cookie"));
    };
    cookie::check_origin(headers, &state.about.cookie_origins)?;
    Ok((text.parse().map_err(invalid)?, RefreshTokenIn::Cookie))
}

/// Stay logged in
///
/// Spends the refresh token and hands out the next, where the first one was: in the body or in the cookie. A token that was spent before ends the session;
/// the same client may repeat a request for ten seconds.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    tag = "sessions",
    request_body = Refresh,
    responses((status = 200, description = "Still logged in", body = Tokens)),
)]
async fn refresh(State(state): State<AppState>, caller: Anyone<Refresh>) -> Result<Response, Problem> {
    let (token, place) = token(&state, &caller.headers, &caller.body)?;
    match sessions::refresh(&state.core, &token, &caller.request).await {
        Ok(session) => opened(&state, session, place),
        Err(error) => {
            // Whatever the reason, the session may have ended just now.
            state.credentials.forget_sessions();
            Err(error.into())
        }
    }
}

/// Log out
///
/// Ends the session of the refresh token in the body or the cookie. Also when it has ended already.
#[utoipa::path(
    post,
    path = "/auth/logout",
    tag = "sessions",
    request_body = Refresh,
    responses((status = 204, description = "Logged out")),
)]
async fn logout(State(state): State<AppState>, caller: Anyone<Refresh>) -> Result<Response, Problem> {
    let (token, place) = token(&state, &caller.headers, &caller.body)?;
    if let Some(session) = sessions::logout(&state.core, &token, &caller.request).await? {
        state.credentials.forget_session(session).await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if place == RefreshTokenIn::Cookie {
        response.headers_mut().extend(cookie::clear());
    }
    Ok(response)
}

/// List sessions
///
/// Where the person is logged in, newest first.
#[utoipa::path(
    get,
    path = "/auth/sessions",
    tag = "sessions",
    params(PageQuery),
    security(("access_token" = [])),
    responses((status = 200, description = "A page of sessions", body = Page<Session>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit;
    let page = sessions::list(&state.core, &person, page.try_into()?).await?;
    Ok(crate::page::respond("/v1/auth/sessions", limit, page))
}

/// End a session
#[utoipa::path(
    delete,
    path = "/auth/sessions/{session}",
    tag = "sessions",
    params(("session" = SessionId, Path, description = "The session")),
    security(("access_token" = [])),
    responses((status = 204, description = "It has ended; on every replica within 5 seconds")),
)]
async fn revoke(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(session): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    sessions::revoke(&state.core, &person, session).await?;
    state.credentials.forget_session(session).await;
    Ok(StatusCode::NO_CONTENT)
}

/// End all other sessions
#[utoipa::path(
    delete,
    path = "/auth/sessions",
    tag = "sessions",
    security(("access_token" = [])),
    responses((status = 204, description = "They have ended; on every replica within 5 seconds")),
)]
async fn revoke_others(State(state): State<AppState>, LoggedIn(person): LoggedIn) -> Result<StatusCode, Problem> {
    sessions::revoke_others(&state.core, &person).await?;
    state.credentials.forget_sessions();
    Ok(StatusCode::NO_CONTENT)
}

/// Keys of access tokens
///
/// For whoever verifies them without asking us (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "sessions", responses((status = 200, description = "The keys", body = Jwks, headers(("Cache-Control" = String, description = "They may be kept for five minutes")))))]
async fn key_set(State(state): State<AppState>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(state.tokens.key_set()))
}
