//! Admission to the router: while there is room, within the quota, and once the database has the
//! schema.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use kernel::Result;
use tower::{Layer, Service};

use super::{by_address::ByAddress, outgoing::Outgoing, overload::Slots, schema::SchemaGate};
use crate::{
    problem::Problem,
    route::{Attributes, RouteTable},
    state::AppState,
};

/// Admits requests to the routes.
#[derive(Clone)]
pub struct Admitted<S = ()> {
    gate: Arc<Gate>,
    inner: S,
}

struct Gate {
    state: AppState,
    table: Arc<RouteTable>,
    slots: Slots,
    outgoing: Outgoing,
    schema: SchemaGate,
}

impl Admitted {
    /// Creates the layer around the routes of `table`.
    pub fn new(state: AppState, table: Arc<RouteTable>) -> Self {
        let (slots, outgoing, schema) = (Slots::new(), Outgoing::default(), SchemaGate::default());
        Self { gate: Arc::new(Gate { state, table, slots, outgoing, schema }), inner: () }
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
            let attributes = gate.table.find(&request);
            if attributes.probe {
                return inner.call(request).await;
            }
            let passed = gate.pass(attributes, request, inner).await;
            Ok(passed.unwrap_or_else(|error| Problem::from(error).into_response()))
        })
    }
}

impl Gate {
    async fn pass<S>(&self, attributes: Attributes, request: Request, mut inner: S) -> Result<Response>
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        let work = async {
            let by_address = ByAddress::of(&request, &self.state, attributes.asks_who);
            by_address.before(&self.state).await?;
            let admitted = match attributes.needs_schema {
                true => self.schema.check(&self.state.health).await,
                false => Ok(()),
            };
            let response = match admitted {
                Ok(()) => {
                    let Ok(response) = inner.call(request).await;
                    response
                }
                Err(error) => Problem::from(error).into_response(),
            };
            by_address.after(&self.state).await?;
            self.outgoing.admit(response).await
        };
        self.slots.within(attributes.long_poll, work).await
    }
}
