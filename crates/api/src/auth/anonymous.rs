//! A request by a caller who has not proved who they are yet: signing up, logging in.

use axum::{
    RequestExt,
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, request::Parts},
};
use domain::mail::Email;
use kernel::{
    Result,
    caller::RequestContext,
    crypto::{hex, sha256},
};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::request;
use crate::{
    edge::Meter,
    extract::{self, BODY_ERRORS, JSON_ERRORS},
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A body whose secret, if it has one, is too long to be guessed: a refresh token. It is counted as
/// any request without credentials is.
#[derive(Debug)]
pub struct AnonymousJson<T> {
    /// The body.
    pub body: T,
    /// The headers.
    pub headers: HeaderMap,
    /// The request.
    pub request: RequestContext,
}

impl<T: DeserializeOwned> FromRequest<AppState> for AnonymousJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        Ok(read(parts, body).await?)
    }
}

impl<T: ToSchema> Describe for AnonymousJson<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.body::<T>();
        doc.codes(BODY_ERRORS);
        doc.codes(JSON_ERRORS);
    }
}

async fn read<T: DeserializeOwned>(parts: Parts, body: Body) -> Result<AnonymousJson<T>> {
    let request = request::context(&parts);
    let bytes = extract::body_bytes(body).await?;
    let body = extract::json(&parts.headers, &bytes)?;
    Ok(AnonymousJson { body, headers: parts.headers, request })
}

/// A body by somebody who signs up or logs in. It is counted by its address, before it is read,
/// against a quota much smaller than that of other routes.
#[derive(Debug)]
pub struct Anonymous<T> {
    /// The body.
    pub body: T,
    /// The request.
    pub request: RequestContext,
    meter: Meter,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Anonymous<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        let meter = parts.extensions.get::<Meter>().cloned().unwrap_or_default();
        let address = request::context(&parts).address.unwrap_or_default();
        meter.take_auth(state, &format!("auth:ip:{address}")).await?;
        let AnonymousJson { body, request, .. } = read(parts, body).await?;
        Ok(Self { body, request, meter })
    }
}

impl<T: ToSchema> Describe for Anonymous<T> {
    fn describe(doc: &mut OperationDoc) {
        AnonymousJson::<T>::describe(doc);
    }
}

impl<T> Anonymous<T> {
    /// Counts the request for its account as well, so that many addresses do not help to guess one
    /// account's password.
    ///
    /// # Errors
    /// [`Code::RateLimited`](kernel::Code::RateLimited).
    pub async fn count_for(&self, state: &AppState, email: &str) -> Result<()> {
        // A text that is not an address has no account, and the request was counted by its own
        // address.
        let Ok(email) = email.parse::<Email>() else { return Ok(()) };
        // The hash of the address, since Redis need not know who our users are.
        let account = hex(&sha256(email.key().as_bytes())[..16]);
        self.meter.take_auth(state, &format!("auth:account:{account}")).await
    }
}
