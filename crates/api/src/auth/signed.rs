//! A request that a registered agent signed.

use axum::{
    RequestExt,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use bytes::Bytes;
use domain::{
    Result,
    identity::{Actor, Principal, Signer},
};
use serde::de::DeserializeOwned;

use super::request;
use crate::{extract, problem::Problem, state::AppState};

/// The agent that signed, and the body it signed: `T` read from JSON, and its bytes.
#[derive(Debug)]
pub struct Signed<T> {
    /// Who signed.
    pub signer: Signer,
    /// What the body says.
    pub body: T,
    /// The body, byte for byte.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Signed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        let bytes = extract::body_bytes(body).await?;
        let signer = signer(&parts, state, &bytes).await?;
        let body = extract::json(&parts.headers, &bytes)?;
        Ok(Self { signer, body, bytes })
    }
}

/// Proves which agent signed. The order is that of cost: what the headers say, the digest of the body, the agent's key, the curve.
pub(super) async fn signer(parts: &Parts, state: &AppState, body: &[u8]) -> Result<Signer> {
    let signature = request::signature(parts, state, body)?;
    let project = request::named_project(parts, state).await?;
    let agent = state.credentials.agent(signature.did(), project).await?;
    let proof = request::verify(parts, state, body, signature, &agent.public_key)?;
    request::count(parts, state, Actor::Agent(agent.id)).await?;
    let principal =
        Principal { project: agent.project, actor: Actor::Agent(agent.id), request: request::context(parts) };
    Ok(Signer { principal, agent: agent.id, proof })
}

/// The agent that signed a request without a body.
#[derive(Debug)]
pub struct SignedBy(pub Signer);

impl FromRequestParts<AppState> for SignedBy {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(signer(parts, state, &[]).await?))
    }
}
