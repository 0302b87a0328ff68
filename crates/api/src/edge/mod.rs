//! What happens to every request around its handler, written once.

mod limits;
mod overload;
mod trace;

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Error, identity::RequestContext};
use futures::FutureExt;
use tracing::Instrument;

pub use limits::{Meter, limit};
pub use overload::{Slots, shed};

use crate::{problem, problem::Problem, state::AppState};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer: names the request, watches it, catches its panic, completes its problem, and puts on what every answer carries.
pub async fn edge(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = trace::request_id(request.headers(), &state.core.ids);
    let traceparent = trace::traceparent(request.headers(), &state.core.ids);
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = %id, trace_id = trace::trace_id(&traceparent), %method, path = request.uri().path());
    request.extensions_mut().insert(RequestContext { id: id.clone(), traceparent: Some(traceparent) });
    let meter = Meter::default();
    request.extensions_mut().insert(meter.clone());

    let answer = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response =
            answered.unwrap_or_else(|_| Problem::from(Error::internal("a handler panicked")).into_response());
        problem::complete(response, &id)
    };
    let mut response = answer.instrument(span.clone()).await;

    let route = response.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    span.in_scope(|| tracing::info!(status, ?elapsed, "answered"));
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::histogram!("http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());

    meter.write(response.headers_mut());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    put_on_every_answer(&mut response);
    response
}

/// Keeps the route's template beside the response, for the metrics: labels must not be paths that clients make up.
pub async fn note_route(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(matched) = matched {
        response.extensions_mut().insert(matched);
    }
    response
}

/// OWASP's headers for an API. A route that serves a page brings its own policy, and one that may be cached says so.
fn put_on_every_answer(response: &mut Response) {
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    ];
    for (name, value) in defaults {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
