//! A caller, what it sent, and whether it may have sent it before.

use axum::{
    RequestExt,
    extract::{FromRequest, Request},
    http::request::Parts,
};
use bytes::Bytes;
use hyper::body::Body as _;
use kernel::{
    Code, Error, Result,
    caller::Actor,
    crypto::sha256,
    idempotency::{Once, Replayed},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::request;
use crate::{extract, problem::Problem, state::AppState};

/// The longest `Idempotency-Key`.
pub const MAX_KEY: usize = 255;

/// A caller that a request can prove before its body is read.
pub trait Caller: Sized + Send {
    /// Proves it; `has_body` says whether there is a body, which a signature must then cover.
    ///
    /// # Errors
    /// What is wrong with the credentials.
    fn prove(parts: &mut Parts, state: &AppState, has_body: bool) -> impl Future<Output = Result<Self>> + Send;

    /// Who it is.
    fn actor(&self) -> Actor;

    /// What its `Idempotency-Key`s are kept with: the project, or the person where there is none.
    fn tenant(&self) -> Uuid;
}

/// A proved caller, the JSON it sent, and its `Idempotency-Key` if it sent one.
#[derive(Debug)]
pub struct With<C, T> {
    /// Who asks.
    pub caller: C,
    /// What for.
    pub body: T,
    /// Set when the same request may come again.
    pub once: Option<Once>,
}

impl<C: Caller, T: DeserializeOwned> FromRequest<AppState> for With<C, T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let Raw { caller, parts, bytes } = Raw::<C>::from_request(request, state).await?;
        let once = once(&parts, state, (caller.tenant(), caller.actor()), &bytes)?;
        let body = extract::json(&parts.headers, &bytes)?;
        Ok(Self { caller, body, once })
    }
}

/// A proved caller of a request that has no body, and its `Idempotency-Key` if it sent one.
#[derive(Debug)]
pub struct Bare<C> {
    /// Who asks.
    pub caller: C,
    /// Set when the same request may come again.
    pub once: Option<Once>,
}

impl<C: Caller> FromRequest<AppState> for Bare<C> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let Raw { caller, parts, bytes } = Raw::<C>::from_request(request, state).await?;
        let once = once(&parts, state, (caller.tenant(), caller.actor()), &bytes)?;
        Ok(Self { caller, once })
    }
}

/// A proved caller, and what it sent, unread.
#[derive(Debug)]
pub struct Raw<C> {
    /// Who asks.
    pub caller: C,
    /// The request but for its body.
    pub parts: Parts,
    /// The body, byte for byte; where the request is signed, the one whose digest was signed.
    pub bytes: Bytes,
}

impl<C: Caller> FromRequest<AppState> for Raw<C> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (mut parts, body) = request.with_limited_body().into_parts();
        let caller = C::prove(&mut parts, state, !body.is_end_stream()).await?;
        // Only now: a stranger's body is not waited for, nor held in memory.
        let bytes = extract::body_bytes(body).await?;
        if request::is_signed(&parts) {
            request::digest(&parts, state, &bytes)?;
        }
        Ok(Self { caller, parts, bytes })
    }
}

/// Whether the text can be an idempotency key: 1 to [`MAX_KEY`] visible ASCII characters but `"`.
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

/// The `Idempotency-Key` of a request, quoted (draft-ietf-httpapi-idempotency-key-header) or bare. Method, target and body make a request the same.
pub(super) fn once(
    parts: &Parts,
    state: &AppState,
    (tenant, actor): (Uuid, Actor),
    body: &[u8],
) -> Result<Option<Once>> {
    let mut sent = parts.headers.get_all("idempotency-key").iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if !is_idempotency_key(key) || sent.next().is_some() {
        let detail =
            format!("`Idempotency-Key` must be one key of 1 to {MAX_KEY} visible ASCII characters, such as a UUID");
        return Err(Error::new(Code::MalformedRequest, detail));
    }
    let uri = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let request = [parts.method.as_str().as_bytes(), b"\n", uri.to_string().as_bytes(), b"\n", body].concat();
    let mark = parts.extensions.get::<Replayed>().cloned().unwrap_or_default();
    Ok(Some(Once::new(tenant, actor, key, sha256(&request), state.sealer.clone()).marking(mark)))
}
