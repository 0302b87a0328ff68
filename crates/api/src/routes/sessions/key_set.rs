//! The keys that access tokens verify under.

use axum::{Json, extract::State};
use domain::identity::access_token::Jwks;

use crate::{reply::Public, state::AppState};

/// Get the keys of access tokens
///
/// For services that verify access tokens themselves (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "sessions")]
pub async fn get_key_set(State(state): State<AppState>) -> Public<300, Json<Jwks>> {
    Public(Json(state.tokens.key_set()))
}
