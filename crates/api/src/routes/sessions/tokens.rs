//! The reply that carries the tokens of a session.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::identity::{
    access_token::{Bearer, LIFETIME},
    sessions::{Opened, RefreshToken},
};
use kernel::{Result, ids::SessionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    cookie,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// The place of a refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokenIn {
    /// The body, for clients that keep it themselves.
    #[default]
    Body,
    /// A cookie that scripts cannot read, for browsers.
    Cookie,
}

/// The tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
struct Tokens {
    /// Proves the person for 15 minutes, as `Authorization: Bearer …`: a JWT.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// The session.
    session_id: SessionId,
    /// Gets the next access token, once; null when it is in the cookie.
    #[schema(required = true)]
    refresh_token: Option<String>,
}

/// A session that was opened or kept alive (200).
#[derive(Debug)]
pub struct SessionReply {
    tokens: Tokens,
    cookie: Option<RefreshToken>,
}

impl SessionReply {
    /// Issues an access token, and puts the refresh token in its place.
    ///
    /// # Errors
    /// `Internal` when the token cannot be signed.
    pub fn new(state: &AppState, opened: Opened, place: RefreshTokenIn) -> Result<Self> {
        let Opened { user, session, refresh } = opened;
        let access_token =
            state.tokens.issue(Bearer { user, session }, state.core.clock.now(), &state.core.ids)?;
        let (refresh_token, cookie) = match place {
            RefreshTokenIn::Body => (Some(refresh.reveal().to_owned()), None),
            RefreshTokenIn::Cookie => (None, Some(refresh)),
        };
        let (token_type, expires_in) = ("Bearer", LIFETIME.num_seconds());
        let tokens = Tokens { access_token, token_type, expires_in, session_id: session, refresh_token };
        Ok(Self { tokens, cookie })
    }
}

impl IntoResponse for SessionReply {
    fn into_response(self) -> Response {
        let mut response = Json(self.tokens).into_response();
        if let Some(token) = self.cookie {
            response.headers_mut().extend(cookie::set(&token));
        }
        response
    }
}

impl Describe for SessionReply {
    fn describe(doc: &mut OperationDoc) {
        Json::<Tokens>::describe(doc);
    }
}
