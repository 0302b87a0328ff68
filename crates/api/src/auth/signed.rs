//! A request that a registered agent signed.

use axum::{
    RequestExt,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use bytes::Bytes;
use domain::identity::KnownAgent;
use hyper::body::Body as _;
use kernel::{
    Code, Error, Result,
    caller::{Actor, Permissions, Principal, Signer},
    idempotency::Once,
    signature::{Proof, Signature},
};
use serde::de::DeserializeOwned;

use super::{request, with};
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
    /// Set when the same request may come again, signed anew.
    pub once: Option<Once>,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Signed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        let signer = signer(&parts, state, !body.is_end_stream()).await?;
        // Only now: a stranger's body is not waited for, nor held in memory.
        let bytes = extract::body_bytes(body).await?;
        request::digest(&parts, state, &bytes)?;
        let caller = (signer.principal.project.uuid(), signer.principal.actor);
        let once = with::once(&parts, state, caller, &bytes)?;
        let body = extract::json(&parts.headers, &bytes)?;
        Ok(Self { signer, body, bytes, once })
    }
}

/// Proves which agent signed. The order is that of cost: what the headers say, the agent's key, the curve, its quota. The body need not be
/// there yet: the signature covers its digest.
pub(super) async fn signer(parts: &Parts, state: &AppState, has_body: bool) -> Result<Signer> {
    let signature = request::signature(parts, state, has_body)?;
    let project = request::named_project(parts, state).await?;
    let agents = state.credentials.agents(signature.did(), project).await?;
    let (agent, proof) = the_one_that_verifies(parts, state, has_body, &signature, &agents)?;
    let actor = Actor::Agent(agent.id);
    request::count(parts, state, actor, agent.plan).await?;
    let (project, plan, request) = (agent.project, agent.plan, request::context(parts));
    let principal = Principal { project, actor, permissions: Permissions::agent(), plan, request };
    Ok(Signer { principal, agent: agent.id, proof })
}

/// Several projects may have registered the DID, and one whose method we cannot check with a key of its own choosing: only those whose key made this
/// signature count, so that a project cannot get in another's way.
fn the_one_that_verifies<'a>(
    parts: &Parts,
    state: &AppState,
    has_body: bool,
    signature: &Signature,
    agents: &'a [KnownAgent],
) -> Result<(&'a KnownAgent, Proof)> {
    let mut found = None;
    let mut refusal = None;
    for agent in agents {
        match request::verify(parts, state, has_body, signature, &agent.public_key) {
            Ok(_) if found.is_some() => {
                let detail = format!(
                    "{} is registered in several projects; say which with the `Holdfast-Project` header",
                    signature.did()
                );
                return Err(Error::new(Code::ProjectAmbiguous, detail));
            }
            Ok(proof) => found = Some((agent, proof)),
            Err(error) => refusal = Some(error),
        }
    }
    found.ok_or_else(|| {
        let unknown = format!("{} is not registered; register it with POST /v1/agents first", signature.did());
        refusal.unwrap_or_else(|| Error::new(Code::AgentUnknown, unknown))
    })
}

/// The agent that signed a request without a body.
#[derive(Debug)]
pub struct SignedBy(pub Signer);

impl FromRequestParts<AppState> for SignedBy {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(signer(parts, state, false).await?))
    }
}
