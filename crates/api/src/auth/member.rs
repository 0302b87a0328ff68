//! A request from inside a project, by its API key or by one of its agents.

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{
    Code, Error,
    identity::{Actor, Principal},
    signature::Proof,
};

use super::{request, signed::signer};
use crate::{problem::Problem, state::AppState};

/// Who asks, and the proof when an agent does. For requests without a body.
#[derive(Debug)]
pub struct Member {
    /// Project and actor.
    pub principal: Principal,
    /// The agent's signature; none when the API key was used.
    pub proof: Option<Proof>,
}

impl FromRequestParts<AppState> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        if request::is_signed(parts) {
            let signer = signer(parts, state, false).await?;
            return Ok(Self { principal: signer.principal, proof: Some(signer.proof) });
        }
        let Some((project, key)) = request::api_key(parts, state).await? else {
            let detail =
                "Send the project's API key as `Authorization: Bearer …`, or sign the request as one of its agents";
            return Err(Error::new(Code::CredentialsMissing, detail).into());
        };
        request::count(parts, state, Actor::ApiKey(key)).await?;
        let principal = Principal { project, actor: Actor::ApiKey(key), request: request::context(parts) };
        Ok(Self { principal, proof: None })
    }
}
