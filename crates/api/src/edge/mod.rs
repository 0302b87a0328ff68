//! What happens to every request around its handler, written once.

mod admitted;
mod durations;
mod limits;
mod outgoing;
mod overload;
mod schema;
mod trace;

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use kernel::{Error, caller::RequestContext, idempotency::Replayed, text::excerpt};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

pub use admitted::Admitted;
use durations::Durations;
pub use durations::describe_metrics;
pub use limits::Meter;
use limits::client_address;

use crate::{
    problem::{self, Problem},
    state::AppState,
};

/// That the answer is the first one, given again.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer: names the request, watches it, catches its panic, completes its problem, and puts on what every answer carries.
#[derive(Clone)]
pub struct Watched<S = ()> {
    watch: Arc<Watch>,
    inner: S,
}

struct Watch {
    state: AppState,
    durations: Durations,
}

impl Watched {
    /// The layer.
    pub fn new(state: AppState) -> Self {
        Self { watch: Arc::new(Watch { state, durations: Durations::default() }), inner: () }
    }
}

impl<S> Layer<S> for Watched {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { watch: Arc::clone(&self.watch), inner }
    }
}

impl<S> Service<Request> for Watched<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let seen = Seen::of(&mut request, &self.watch.state);
        let answering = self.inner.call(request);
        let watch = Arc::clone(&self.watch);
        Box::pin(async move { Ok(watch.over(seen, answering).await) })
    }
}

/// What of a request is needed when it is answered.
struct Seen {
    started: Instant,
    id: String,
    method: Method,
    route: Option<MatchedPath>,
    is_probe: bool,
    span: Span,
    meter: Meter,
    replayed: Replayed,
}

impl Seen {
    /// Leaves with the request what those within want to know of it.
    fn of(request: &mut Request, state: &AppState) -> Self {
        let started = Instant::now();
        let id = trace::request_id(request.headers(), &state.core.ids);
        let traceparent = trace::traceparent(request.headers(), &state.core.ids);
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let is_probe = request.uri().path().starts_with("/health");
        let span = tracing::info_span!("request", request_id = %id, trace_id = trace::trace_id(&traceparent), %method, path = request.uri().path());
        let address = Some(client_address(request, state.about.trusted_proxy_depth).to_string());
        let user_agent = request
            .headers()
            .get(header::USER_AGENT)
            .map(|agent| excerpt(&String::from_utf8_lossy(agent.as_bytes()), 200));
        let context = RequestContext { id: id.clone(), traceparent: Some(traceparent), address, user_agent };
        let (meter, replayed) = (Meter::default(), Replayed::default());
        let extensions = request.extensions_mut();
        extensions.insert(context);
        extensions.insert(meter.clone());
        extensions.insert(replayed.clone());
        Self { started, id, method, route, is_probe, span, meter, replayed }
    }
}

impl Watch {
    async fn over(&self, seen: Seen, answering: impl Future<Output = Result<Response, Infallible>>) -> Response {
        let answer = async {
            let response = match AssertUnwindSafe(answering).catch_unwind().await {
                Ok(Ok(response)) => response,
                Err(_) => Problem::from(Error::internal("a handler panicked")).into_response(),
            };
            problem::complete(response, &seen.id)
        };
        let mut response = answer.instrument(seen.span.clone()).await;

        let status = response.status();
        let elapsed = seen.started.elapsed();
        seen.span.in_scope(|| match seen.is_probe {
            // Platforms and load balancers ask every few seconds.
            true => tracing::debug!(status = status.as_u16(), ?elapsed, "answered"),
            false => tracing::info!(status = status.as_u16(), ?elapsed, "answered"),
        });
        // The template: labels must not be paths that clients make up.
        let route = seen.route.as_ref().map_or("none", MatchedPath::as_str);
        self.durations.record(&seen.method, route, status, elapsed);

        seen.meter.write(response.headers_mut());
        if seen.replayed.is_set() {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        name(&mut response, &seen.id);
        for (name, value) in EVERY_ANSWER {
            response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
        }
        response
    }
}

/// Tells the client the request's id.
pub fn name(response: &mut Response, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
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
    use axum::{Router, body::Body, http::StatusCode, routing::get};
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
        let (state, _adapters) = crate::serve::assemble(&config, kernel::Clock::system(), Default::default()).unwrap();
        let router = Router::new()
            .route("/panics", get(async || -> () { panic!("hunter2") }))
            .route("/answers", get(async || "here"))
            .layer(Watched::new(state));
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
