//! The build that answers, and the key that pushed deliveries verify under.

use axum::{Json, extract::State, http::Method, response::Redirect, routing::get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    operation,
    route::{Attributes, Routes},
    state::AppState,
};

/// The routes outside the version prefix.
pub fn routes() -> Routes {
    let to_docs = get(async || Redirect::temporary("/docs"));
    Routes::new().add(operation!(get_version).without_schema()).plain(
        "/",
        [Method::GET],
        to_docs,
        Attributes::default(),
    )
}

/// The routes under the version prefix.
pub fn versioned() -> Routes {
    Routes::new().add(operation!(list_webhook_keys).without_schema())
}

/// The build that answers.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    /// Its version.
    version: &'static str,
    /// Its commit, if known.
    #[schema(required = true)]
    commit: Option<&'static str>,
}

/// Get the version
#[utoipa::path(get, path = "/version", tag = "health")]
async fn get_version(State(state): State<AppState>) -> Json<Version> {
    Json(Version { version: state.about.version, commit: state.about.commit })
}

/// The keys that pushed deliveries are signed with.
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

/// List the keys of pushed deliveries
///
/// An agent with an endpoint verifies the `webhook-signature` of each delivery (Standard Webhooks,
/// `v1a`) under one of these.
#[utoipa::path(get, path = "/webhook-keys", tag = "inbox")]
async fn list_webhook_keys(State(state): State<AppState>) -> Json<WebhookKeys> {
    let public_key = state.about.webhook_public_key.clone();
    Json(WebhookKeys { data: vec![WebhookPublicKey { public_key }] })
}
