//! Routes, layers and the OpenAPI document, put together in one place.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, Request, header},
    routing::get,
};
use hyper::body::Incoming;
use tower::{Layer, util::MapRequest};
use tower_http::{
    cors::{AllowCredentials, AllowOrigin, CorsLayer},
    normalize_path::{NormalizePath, NormalizePathLayer},
};
use utoipa::openapi::OpenApi;

use crate::{
    docs, edge, limits, mcp,
    route::{Built, OperationCodes, Routes},
    routes,
    state::AppState,
    vault_page,
};

/// The prefixes of every versioned route; the document has the first.
const PREFIXES: [&str; 2] = ["/v1", "/api/v1"];

/// Every operation.
fn operations() -> Routes {
    let versioned = Routes::new()
        .merge(routes::accounts::routes())
        .merge(routes::sessions::routes())
        .merge(routes::passkeys::routes())
        .merge(routes::me::routes())
        .merge(routes::organizations::routes())
        .merge(routes::members::routes())
        .merge(routes::invitations::routes())
        .merge(routes::projects::routes())
        .merge(routes::keys::routes())
        .merge(routes::agents::routes())
        .merge(routes::intents::routes())
        .merge(routes::inbox::routes())
        .merge(routes::audit::routes())
        .merge(routes::vault::routes())
        .merge(routes::about::versioned())
        .under(&PREFIXES);
    Routes::new()
        .merge(routes::health::routes())
        .merge(routes::about::routes())
        .merge(routes::sessions::well_known())
        .merge(versioned)
}

/// Returns the OpenAPI document.
pub fn document() -> OpenApi {
    operations().build(docs::about()).document
}

/// Returns the codes of every operation.
pub fn operation_codes() -> Vec<OperationCodes> {
    operations().build(docs::about()).codes
}

/// The whole service. Layers that change a path are outside of the router, which reads it.
pub type App = MapRequest<NormalizePath<Router>, fn(Request<Incoming>) -> Request<Incoming>>;

/// Puts the whole service together.
pub fn app(state: AppState, cors_origins: &[String]) -> App {
    let normalized = NormalizePathLayer::trim_trailing_slash().layer(router(state, cors_origins));
    MapRequest::new(normalized, edge::keep_sent_uri)
}

fn router(state: AppState, cors_origins: &[String]) -> Router {
    let mcp = mcp::route(&state, cors_origins);
    let routes = operations().plain("/mcp", [Method::POST], mcp, mcp::ATTRIBUTES);
    let Built { router, document, table, .. } = routes.build(docs::about());
    let table = Arc::new(table);
    let live = get(routes::health::live_at_once(&state));
    let routed = router
        .merge(docs::router(&document))
        .merge(vault_page::router())
        // One layer instead of several: axum boxes each, and copies it and everything within it for
        // every request.
        .layer((
            edge::Watched::new(state.clone(), Arc::clone(&table)),
            cors(cors_origins),
            edge::Admitted::new(state.clone(), table),
            DefaultBodyLimit::max(limits::BODY),
        ))
        .with_state(state);
    // Liveness is asked often and must be answered whatever the layers do, so it passes none of
    // them.
    Router::new().route("/health/live", live.fallback_service(routed.clone())).fallback_service(routed)
}

/// Decides which pages may call from a browser. Credentials are headers that the page sets itself,
/// except the refresh token's cookie: that may be sent along from named origins, and never from
/// `*`.
fn cors(origins: &[String]) -> CorsLayer {
    let named: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin.trim()).ok())
        .filter(|origin| origin != "*")
        .collect();
    let anybody = origins.iter().any(|origin| origin == "*");
    let credentials = named.clone();
    let allowed = if anybody { AllowOrigin::any() } else { AllowOrigin::list(named) };
    let standard = [header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH];
    let ours = [
        "signature",
        "signature-input",
        "content-digest",
        "holdfast-project",
        "x-request-id",
        "traceparent",
        "idempotency-key",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
    ];
    let answered = [header::LINK, header::LOCATION, header::ETAG, header::RETRY_AFTER];
    let seen = ["x-request-id", "ratelimit", "ratelimit-policy", "idempotency-replayed"];
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            !anybody && credentials.contains(origin)
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(standard.into_iter().chain(ours.map(HeaderName::from_static)).collect::<Vec<_>>())
        .expose_headers(answered.into_iter().chain(seen.map(HeaderName::from_static)).collect::<Vec<_>>())
        .max_age(std::time::Duration::from_secs(3600))
}
