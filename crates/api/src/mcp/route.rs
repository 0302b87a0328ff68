//! The route.

use std::sync::Arc;

use adapters::settings::Environment;
use axum::{
    extract::DefaultBodyLimit,
    routing::{MethodRouter, post},
};
use rmcp::transport::StreamableHttpServerConfig;
use url::Url;

use super::{
    answer::answer,
    server::{Server, Service},
};
use crate::{
    auth::{ProjectCaller, RawBody},
    route::Attributes,
    state::AppState,
};

/// The largest message: a seal with its personal data, or a receipt, and room for what surrounds
/// them.
const BODY_LIMIT: usize = 256 * 1024;

/// The attributes of the route.
pub const ATTRIBUTES: Attributes =
    Attributes { asks_who: true, long_poll: false, needs_schema: true, probe: false };

/// Returns the route. It has only POST: there is no session to listen to or to end.
pub fn route(state: &AppState, cors_origins: &[String]) -> MethodRouter<AppState> {
    let server = Server::new(state.clone());
    let service = Service::new(move || Ok(server.clone()), Arc::default(), config(state, cors_origins));
    post(async move |request: RawBody<ProjectCaller>| answer(&service, request).await)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Returns the settings of rmcp: no sessions and no streams, and only under our own name, from
/// pages that may call the API. A name that somebody else pointed at this server (DNS rebinding) is
/// refused.
fn config(state: &AppState, cors_origins: &[String]) -> StreamableHttpServerConfig {
    let mut hosts = vec![state.origin.authority().to_owned()];
    if state.about.environment == Environment::Development {
        hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    }
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .with_max_request_body_bytes(BODY_LIMIT)
        .with_allowed_hosts(hosts);
    if cors_origins.iter().any(|origin| origin == "*") {
        return config;
    }
    config
        .with_allowed_origins(state.about.cookie_origins.iter().filter_map(|origin| with_port(origin)))
        .enforce_origin_validation()
}

/// Returns an origin with its port, since rmcp takes one without it for any port.
fn with_port(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    Some(format!("{}://{}:{}", url.scheme(), url.host_str()?, url.port_or_known_default()?))
}
