//! Which requests come through to the router: while there is room, within their quota, and once there is a database for them.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use kernel::Result;
use tower::{Layer, Service};

use super::{limits::ByAddress, outgoing::Outgoing, overload::Slots, schema::Schema};
use crate::{problem::Problem, state::AppState};

/// Admits requests to what lies within.
#[derive(Clone)]
pub struct Admitted<S = ()> {
    gate: Arc<Gate>,
    inner: S,
}

struct Gate {
    state: AppState,
    /// By path, the methods that ask who it is.
    asking: HashMap<String, Vec<Method>>,
    slots: Slots,
    outgoing: Outgoing,
    schema: Schema,
}

impl Admitted {
    /// The layer, around routes of which `asking` ask who it is.
    pub fn new(state: AppState, asking: HashMap<String, Vec<Method>>) -> Self {
        let gate =
            Gate { state, asking, slots: Slots::new(), outgoing: Outgoing::default(), schema: Schema::default() };
        Self { gate: Arc::new(gate), inner: () }
    }
}

impl<S> Layer<S> for Admitted {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Admitted<S> {
        Admitted { gate: Arc::clone(&self.gate), inner }
    }
}

impl<S> Service<Request> for Admitted<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (gate, mut inner) = (Arc::clone(&self.gate), self.inner.clone());
        Box::pin(async move {
            // `/health` is never refused: it must answer above all when the rest is full.
            if request.uri().path().starts_with("/health") {
                return inner.call(request).await;
            }
            Ok(gate.pass(request, inner).await.unwrap_or_else(|error| Problem::from(error).into_response()))
        })
    }
}

impl Gate {
    async fn pass<S>(&self, request: Request, mut inner: S) -> Result<Response>
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        let path = request.uri().path();
        let is_long_poll = path.ends_with("/inbox");
        let work = async {
            let by_address = ByAddress::of(&request, &self.state, self.asks(&request));
            by_address.before(&self.state).await?;
            let response = match self.schema.admits(request.uri().path(), &self.state.health).await {
                Ok(()) => {
                    let Ok(response) = inner.call(request).await;
                    response
                }
                Err(error) => Problem::from(error).into_response(),
            };
            by_address.after(&self.state).await?;
            self.outgoing.admit(response).await
        };
        self.slots.within(is_long_poll, work).await
    }

    fn asks(&self, request: &Request) -> bool {
        let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let methods = self.asking.get(path.strip_prefix("/api").unwrap_or(path));
        methods.is_some_and(|methods| methods.contains(request.method()))
    }
}
