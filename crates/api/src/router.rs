//! Routes, layers and the OpenAPI document, put together in one place.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, header},
    routing::get,
};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{docs, edge, mcp, routes, state::AppState, vault_page};

/// The largest body of a route that does not say otherwise.
const BODY_LIMIT: usize = 1024 * 1024;

/// And of one that anybody may send something to.
const SMALL_BODY: usize = 16 * 1024;

/// Every route, under `/v1` and again under `/api/v1`.
fn routes() -> OpenApiRouter<AppState> {
    let v1 = || {
        OpenApiRouter::new()
            .merge(routes::accounts::router().layer(DefaultBodyLimit::max(SMALL_BODY)))
            .merge(routes::sessions::router().layer(DefaultBodyLimit::max(SMALL_BODY)))
            .merge(routes::passkeys::router().layer(DefaultBodyLimit::max(SMALL_BODY)))
            .merge(routes::me::router())
            .merge(routes::organizations::router())
            .merge(routes::members::router())
            .merge(routes::invitations::router())
            .merge(routes::projects::router())
            .merge(routes::keys::router())
            .merge(routes::agents::router())
            .merge(routes::intents::router())
            .merge(routes::inbox::router())
            .merge(routes::audit::router())
            .merge(routes::vault::router())
            .merge(routes::about::versioned())
    };
    let (alias, _) = v1().split_for_parts();
    OpenApiRouter::with_openapi(docs::about())
        .merge(routes::health::router())
        .merge(routes::about::router())
        .merge(routes::sessions::well_known())
        .nest("/v1", v1())
        .merge(Router::new().nest("/api/v1", alias).into())
}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    let (_, document) = routes().split_for_parts();
    docs::complete(document)
}

/// The whole service.
pub fn router(state: AppState, cors_origins: &[String]) -> Router {
    let (routes, document) = routes().split_for_parts();
    let mut asking = docs::asking(&document);
    asking.insert("/mcp".to_owned(), vec![Method::POST]);
    let live = get(routes::health::live_at_once(&state));
    let routed = routes
        .merge(docs::router(&docs::complete(document)))
        .merge(vault_page::router())
        .route("/mcp", mcp::route(&state, cors_origins))
        // As one layer: axum keeps each behind a box of its own, and copies it, and all that is within, for every request.
        .layer((
            edge::Watched::new(state.clone()),
            cors(cors_origins),
            edge::Admitted::new(state.clone(), asking),
            DefaultBodyLimit::max(BODY_LIMIT),
        ))
        .with_state(state);
    // Whether the process is alive is asked often and must be answered whatever the layers do: it passes none of them.
    Router::new().route("/health/live", live.fallback_service(routed.clone())).fallback_service(routed)
}

/// Which pages may call from a browser. Credentials are headers that the page sets itself, but for the refresh token's cookie: that may be sent along
/// from origins that are named, never from anybody's.
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
        .allow_credentials(AllowCredentials::predicate(move |origin, _| !anybody && credentials.contains(origin)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(standard.into_iter().chain(ours.map(HeaderName::from_static)).collect::<Vec<_>>())
        .expose_headers(answered.into_iter().chain(seen.map(HeaderName::from_static)).collect::<Vec<_>>())
        .max_age(std::time::Duration::from_secs(3600))
}
