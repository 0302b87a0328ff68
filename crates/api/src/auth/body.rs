//! A caller and their body.

use axum::{
    RequestExt,
    extract::{FromRequest, Request},
    http::request::Parts,
};
use bytes::Bytes;
use hyper::body::Body as _;
use kernel::{Result, caller::HasRequest};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::{
    idempotency,
    signature::{check_digest, is_signed},
};
use crate::{
    extract::{self, BODY_ERRORS, JSON_ERRORS},
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A caller that a request can prove before its body is read.
pub trait ProvenCaller: HasRequest + Describe + Sized + Send {
    /// Proves the caller; `has_body` tells whether there is a body, which a signature must then
    /// cover.
    ///
    /// # Errors
    /// The codes of the credentials.
    fn prove(
        parts: &mut Parts,
        state: &AppState,
        has_body: bool,
    ) -> impl Future<Output = Result<Self>> + Send;
}

/// A proved caller, and their JSON body.
#[derive(Debug)]
pub struct JsonBody<C, T> {
    /// The caller.
    pub caller: C,
    /// The body.
    pub body: T,
    /// The body, byte for byte.
    pub bytes: Bytes,
}

impl<C: ProvenCaller, T: DeserializeOwned> FromRequest<AppState> for JsonBody<C, T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let RawBody { mut caller, parts, bytes } = RawBody::<C>::from_request(request, state).await?;
        caller.request_mut().idempotency_key = idempotency::read(&parts, &bytes)?;
        let body = extract::json(&parts.headers, &bytes)?;
        Ok(Self { caller, body, bytes })
    }
}

impl<C: Describe, T: ToSchema> Describe for JsonBody<C, T> {
    fn describe(doc: &mut OperationDoc) {
        C::describe(doc);
        doc.body::<T>();
        doc.codes(BODY_ERRORS);
        doc.codes(JSON_ERRORS);
    }
}

/// A proved caller of a request that has no body and may carry an `Idempotency-Key`.
#[derive(Debug)]
pub struct NoBody<C> {
    /// The caller.
    pub caller: C,
}

impl<C: ProvenCaller> FromRequest<AppState> for NoBody<C> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let RawBody { mut caller, parts, bytes } = RawBody::<C>::from_request(request, state).await?;
        caller.request_mut().idempotency_key = idempotency::read(&parts, &bytes)?;
        Ok(Self { caller })
    }
}

impl<C: Describe> Describe for NoBody<C> {
    fn describe(doc: &mut OperationDoc) {
        C::describe(doc);
        // A body is read even though nobody wants it.
        doc.codes(BODY_ERRORS);
    }
}

/// A proved caller, and their body as it came.
#[derive(Debug)]
pub struct RawBody<C> {
    /// The caller.
    pub caller: C,
    /// The request but for its body.
    pub parts: Parts,
    /// The body, byte for byte. If the request is signed, its digest was signed.
    pub bytes: Bytes,
}

impl<C: ProvenCaller> FromRequest<AppState> for RawBody<C> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (mut parts, body) = request.with_limited_body().into_parts();
        let caller = C::prove(&mut parts, state, !body.is_end_stream()).await?;
        // The body is read only now: that of an unknown caller is neither waited for nor held in
        // memory.
        let bytes = extract::body_bytes(body).await?;
        if is_signed(&parts) {
            check_digest(&parts, state, &bytes)?;
        }
        Ok(Self { caller, parts, bytes })
    }
}
