//! A request by somebody who is yet to prove who they are: signing up, logging in.

use std::fmt::Write as _;

use axum::{
    RequestExt,
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, request::Parts},
};
use domain::mail::Email;
use kernel::{Result, caller::RequestContext, crypto::sha256};
use serde::de::DeserializeOwned;

use super::request;
use crate::{edge::Meter, extract, problem::Problem, state::AppState};

/// What somebody sent whose secret, if they have one, is in it, and too long to be guessed: a refresh token. Counted as any request without credentials is.
#[derive(Debug)]
pub struct Anyone<T> {
    /// What they sent.
    pub body: T,
    /// And with which headers.
    pub headers: HeaderMap,
    /// By which request.
    pub request: RequestContext,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Anyone<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        Ok(read(parts, body).await?)
    }
}

async fn read<T: DeserializeOwned>(parts: Parts, body: Body) -> Result<Anyone<T>> {
    let request = request::context(&parts);
    let bytes = extract::body_bytes(body).await?;
    let body = extract::json(&parts.headers, &bytes)?;
    Ok(Anyone { body, headers: parts.headers, request })
}

/// What somebody sent who signs up or logs in. Counted by their address, before it is read, against a quota much smaller than that of other routes.
#[derive(Debug)]
pub struct Stranger<T> {
    /// What they sent.
    pub body: T,
    /// By which request.
    pub request: RequestContext,
    meter: Meter,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Stranger<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        let meter = parts.extensions.get::<Meter>().cloned().unwrap_or_default();
        let address = request::context(&parts).address.unwrap_or_default();
        meter.take_auth(state, &format!("auth:ip:{address}")).await?;
        let Anyone { body, request, .. } = read(parts, body).await?;
        Ok(Self { body, request, meter })
    }
}

impl<T> Stranger<T> {
    /// Counts them for the account they ask about as well, so that many addresses do not help to guess one account's password.
    ///
    /// # Errors
    /// [`Code::RateLimited`](kernel::Code::RateLimited).
    pub async fn count_for(&self, state: &AppState, email: &str) -> Result<()> {
        // What is no address has no account, and was counted by where it came from.
        let Ok(email) = email.parse::<Email>() else { return Ok(()) };
        let mut subject = String::from("auth:account:");
        // Not the address itself: Redis need not know who our users are.
        for byte in &sha256(email.key().as_bytes())[..16] {
            let _ = write!(subject, "{byte:02x}");
        }
        self.meter.take_auth(state, &subject).await
    }
}
