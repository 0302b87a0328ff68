//! The outermost layer.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, header},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use kernel::{Error, caller::RequestContext, text::excerpt};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use super::{address::client_address, durations::Durations, headers, meter::Meter, trace};
use crate::{
    problem::{self, Problem},
    route::RouteTable,
    state::AppState,
};

/// Names the request, watches it, catches its panic, completes its problem, and adds the headers of
/// every response.
#[derive(Clone)]
pub struct Watched<S = ()> {
    watch: Arc<Watch>,
    inner: S,
}

struct Watch {
    state: AppState,
    table: Arc<RouteTable>,
    durations: Durations,
}

impl Watched {
    /// Creates the layer around the routes of `table`.
    pub fn new(state: AppState, table: Arc<RouteTable>) -> Self {
        Self { watch: Arc::new(Watch { state, table, durations: Durations::default() }), inner: () }
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
        let seen = self.watch.see(&mut request);
        let answering = self.inner.call(request);
        let watch = Arc::clone(&self.watch);
        Box::pin(async move { Ok(watch.over(seen, answering).await) })
    }
}

/// The facts of a request that its response needs.
struct Seen {
    started: Instant,
    id: String,
    method: Method,
    route: Option<MatchedPath>,
    is_probe: bool,
    span: Span,
    meter: Meter,
}

impl Watch {
    /// Notes the facts that are needed later, and adds to the request what layers and extractors
    /// read.
    fn see(&self, request: &mut Request) -> Seen {
        let started = Instant::now();
        let ids = &self.state.core.ids;
        let id = trace::request_id(request.headers(), ids);
        let traceparent = trace::traceparent(request.headers(), ids);
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let is_probe = self.table.find(request).probe;
        let (trace_id, path) = (trace::trace_id(&traceparent), request.uri().path());
        let span = tracing::info_span!("request", request_id = %id, trace_id, %method, path);
        let address = client_address(request, self.state.about.trusted_proxy_depth).to_string();
        let user_agent = request.headers().get(header::USER_AGENT);
        let user_agent = user_agent.map(|agent| excerpt(&String::from_utf8_lossy(agent.as_bytes()), 200));
        let meter = Meter::default();
        let extensions = request.extensions_mut();
        extensions.insert(RequestContext {
            id: id.clone(),
            traceparent: Some(traceparent),
            address: Some(address),
            user_agent,
            ..RequestContext::default()
        });
        extensions.insert(meter.clone());
        Seen { started, id, method, route, is_probe, span, meter }
    }

    async fn over(
        &self,
        seen: Seen,
        answering: impl Future<Output = Result<Response, Infallible>>,
    ) -> Response {
        let answer = async {
            let response = match AssertUnwindSafe(answering).catch_unwind().await {
                Ok(Ok(response)) => response,
                Err(_) => Problem::from(Error::internal("a handler panicked")).into_response(),
            };
            problem::complete(response, &seen.id)
        };
        let mut response = answer.instrument(seen.span.clone()).await;
        self.record(&seen, &response);
        seen.meter.write(response.headers_mut());
        headers::set_request_id(&mut response, &seen.id);
        headers::complete(&mut response);
        response
    }

    fn record(&self, seen: &Seen, response: &Response) {
        let (status, elapsed) = (response.status(), seen.started.elapsed());
        seen.span.in_scope(|| match seen.is_probe {
            // Platforms and load balancers ask every few seconds.
            true => tracing::debug!(status = status.as_u16(), ?elapsed, "answered"),
            false => tracing::info!(status = status.as_u16(), ?elapsed, "answered"),
        });
        // The label is the template, since clients invent paths.
        let route = seen.route.as_ref().map_or("none", MatchedPath::as_str);
        self.durations.record(&seen.method, route, status, elapsed);
    }
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
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let secrets = [
            ("WEBHOOK_SIGNING_KEY", "whsk_"),
            ("JWT_SIGNING_KEY", "jwtk_"),
            ("VAULT_SIGNING_KEY", "vsk_"),
            ("VAULT_KEK", "vkek_"),
            ("SECRETS_KEY", "hfsk_"),
        ];
        let secrets = secrets.map(|(name, prefix)| (name.to_owned(), format!("{prefix}{key}")));
        let database = ("DATABASE_URL".to_owned(), "postgres://127.0.0.1:1/none".to_owned());
        let config = Config::from_pairs(secrets.into_iter().chain([database])).unwrap();
        let clock = kernel::Clock::system();
        let (state, _adapters) = crate::serve::assemble(&config, clock, Default::default()).unwrap();
        let router = Router::new()
            .route("/panics", get(async || -> () { panic!("hunter2") }))
            .route("/answers", get(async || "here"))
            .layer(Watched::new(state, Arc::default()));
        let ask = async |path| {
            router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
        };

        let response = ask("/panics").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], problem::PROBLEM_JSON);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("hunter2"), "{body}");
        assert_eq!(ask("/answers").await.status(), StatusCode::OK);
    }
}
