//! What this is and which build, and the key that pushed deliveries verify under.

use axum::{Json, extract::State, response::Redirect};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::AppState;

/// The routes outside the version prefix.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(version))
        .route("/", axum::routing::get(|| async { Redirect::temporary("/docs") }))
}

/// The routes under the version prefix.
pub fn versioned() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(webhook_keys))
}

/// The build that answers.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    /// Its version.
    version: &'static str,
    /// Its commit, where it is known.
    #[schema(required = true)]
    commit: Option<&'static str>,
}

/// Which build is this?
#[utoipa::path(get, path = "/version", tag = "health", responses((status = 200, description = "The build", body = Version)))]
async fn version(State(state): State<AppState>) -> Json<Version> {
    Json(Version { version: state.about.version, commit: state.about.commit })
}

/// Keys that pushed deliveries are signed with.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookKeys {
    /// The current key.
    data: Vec<WebhookPublicKey>,
}

/// An Ed25519 public key in the form of Standard Webhooks.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookPublicKey {
    /// `whpk_` and base64.
    #[schema(example = "whpk_lJZrfAjkBXdfjebMHEUI9usidAPhAlssitLXR3OYxbI=")]
    public_key: String,
}

/// Keys of pushed deliveries
///
/// An agent with an endpoint verifies the `webhook-signature` of what it is sent (Standard Webhooks, `v1a`) under one of these.
#[utoipa::path(get, path = "/webhook-keys", tag = "inbox", responses((status = 200, description = "The keys", body = WebhookKeys)))]
async fn webhook_keys(State(state): State<AppState>) -> Json<WebhookKeys> {
    Json(WebhookKeys { data: vec![WebhookPublicKey { public_key: state.about.webhook_public_key.clone() }] })
}
