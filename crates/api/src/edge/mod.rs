//! What happens to every request around its handler, written once.

mod limits;
mod overload;
mod schema;
mod trace;

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Error, idempotency::Replayed, identity::RequestContext, text::excerpt};
use futures::FutureExt;
use tracing::Instrument;

use limits::client_address;
pub use limits::{Meter, limit};
pub use overload::{Slots, shed};
pub use schema::{Schema, wait_for_schema};

use crate::{problem, problem::Problem, state::AppState};

const DURATION: &str = "http_request_duration_seconds";
/// That the answer is the first one, given again.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer: names the request, watches it, catches its panic, completes its problem, and puts on what every answer carries.
pub async fn edge(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = trace::request_id(request.headers(), &state.core.ids);
    let traceparent = trace::traceparent(request.headers(), &state.core.ids);
    let method = request.method().clone();
    // The template: labels must not be paths that clients make up.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let is_probe = request.uri().path().starts_with("/health");
    let span = tracing::info_span!("request", request_id = %id, trace_id = trace::trace_id(&traceparent), %method, path = request.uri().path());
    let address = Some(client_address(&request, state.about.trusted_proxy_depth).to_string());
    let user_agent =
        request.headers().get(header::USER_AGENT).map(|agent| excerpt(&String::from_utf8_lossy(agent.as_bytes()), 200));
    request.extensions_mut().insert(RequestContext {
        id: id.clone(),
        traceparent: Some(traceparent),
        address,
        user_agent,
    });
    let meter = Meter::default();
    request.extensions_mut().insert(meter.clone());
    let replayed = Replayed::default();
    request.extensions_mut().insert(replayed.clone());

    let answer = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response =
            answered.unwrap_or_else(|_| Problem::from(Error::internal("a handler panicked")).into_response());
        problem::complete(response, &id)
    };
    let mut response = answer.instrument(span.clone()).await;

    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    span.in_scope(|| match is_probe {
        // Platforms and load balancers ask every few seconds.
        true => tracing::debug!(status, ?elapsed, "answered"),
        false => tracing::info!(status, ?elapsed, "answered"),
    });
    let labels = [("method", method_label(&method).to_owned()), ("route", route), ("status", status.to_string())];
    metrics::histogram!(DURATION, &labels).record(elapsed.as_secs_f64());

    meter.write(response.headers_mut());
    if replayed.is_set() {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    name(&mut response, &id);
    for (name, value) in EVERY_ANSWER {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Tells the client the request's id.
pub fn name(response: &mut Response, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
}

/// Says what the metrics mean, once, at the start.
pub fn describe_metrics() {
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "How long requests took, by method, route and status."
    );
}

/// Clients make methods up as well.
fn method_label(method: &Method) -> &str {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}

/// OWASP's headers for an API. A route that serves a page brings its own policy, and one that may be cached says so.
const EVERY_ANSWER: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
];

/// What every answer carries, for the one that passes no layer.
pub fn headers_of_every_answer() -> HeaderMap {
    EVERY_ANSWER.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware::from_fn_with_state, routing::get};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn a_panic_is_a_problem_and_the_next_request_is_served() {
        let variables = [
            ("DATABASE_URL", "postgres://127.0.0.1:1/none"),
            ("WEBHOOK_SIGNING_KEY", "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("JWT_SIGNING_KEY", "jwtk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("VAULT_SIGNING_KEY", "vsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("VAULT_KEK", "vkek_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ];
        let config = Config::from_pairs(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        let (state, _adapters) = crate::serve::assemble(&config, domain::Clock::system(), Default::default()).unwrap();
        let router = Router::new()
            .route("/panics", get(async || -> () { panic!("hunter2") }))
            .route("/answers", get(async || "here"))
            .layer(from_fn_with_state(state, edge));
        let asked = async |path| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();

        let response = asked("/panics").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], problem::PROBLEM_JSON);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("hunter2"), "{body}");
        assert_eq!(asked("/answers").await.status(), StatusCode::OK);
    }
}
