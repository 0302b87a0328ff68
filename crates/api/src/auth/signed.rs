//! A request that a registered agent signed.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::identity::KnownAgent;
use kernel::{
    Code, Error, Result,
    caller::{Actor, Allows, Authorized, HasRequest, Permissions, Principal, RequestContext, Signer},
    ids::ProjectId,
    signature::{Proof, Signature},
};

use super::{
    bearer::{Credential, credential},
    body::ProvenCaller,
    codes::{BEARER_ERRORS, DIGEST_ERRORS, SIGNATURE_ERRORS},
    request::{self, header_project},
    signature,
};
use crate::{
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// The agent that signed, which has permission `P`.
pub struct Signed<P>(pub Authorized<P, Signer>);

impl<P: Allows> FromRequestParts<AppState> for Signed<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::prove(parts, state, false).await?)
    }
}

impl<P: Allows> ProvenCaller for Signed<P> {
    async fn prove(parts: &mut Parts, state: &AppState, has_body: bool) -> Result<Self> {
        Authorized::check(signer(parts, state, has_body).await?).map(Self)
    }
}

impl<P> HasRequest for Signed<P> {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.0.request_mut()
    }
}

impl<P: Allows> Describe for Signed<P> {
    fn describe(doc: &mut OperationDoc) {
        doc.security([("agent_signature", &[])]);
        if P::PERMISSION.is_scope() {
            // A key that names the project lends no more than it has.
            doc.security([("agent_signature", &[]), ("api_key", &[P::PERMISSION.as_str()])]);
            doc.codes(&[Code::PermissionMissing]);
        }
        doc.codes(SIGNATURE_ERRORS);
        doc.codes(DIGEST_ERRORS);
        // The API key or access token that may stand beside the signature.
        doc.codes(BEARER_ERRORS);
        doc.codes(&[Code::MalformedRequest, Code::NonceReplayed]);
    }
}

/// Proves which agent signed. The checks are in the order of their cost: the headers, the agent's
/// key, the curve, its quota. The body need not be there yet, since the signature covers its
/// digest.
pub(super) async fn signer(parts: &Parts, state: &AppState, has_body: bool) -> Result<Signer> {
    let signature = signature::signature(parts, state, has_body)?;
    let Named { project, permissions } = named_project(parts, state).await?;
    let agents = state.credentials.agents(signature.did(), project).await?;
    let (agent, proof) = the_one_that_verifies(parts, state, has_body, &signature, &agents)?;
    let actor = Actor::Agent(agent.id);
    request::count(parts, state, actor, agent.plan).await?;
    let (project, plan, proof) = (agent.project, agent.plan, Arc::new(proof));
    let request = RequestContext { proof: Some(Arc::clone(&proof)), ..request::context(parts) };
    let principal = Principal { project, actor, permissions, plan, request };
    Ok(Signer { principal, agent: agent.id, proof })
}

/// The project that a request names beside its signature, and the permissions that the agent has
/// there: with an API key, those that the key has as well.
struct Named {
    project: Option<ProjectId>,
    permissions: Permissions,
}

/// Reads the project that a request names beside its signature: by its API key, or by the header.
async fn named_project(parts: &Parts, state: &AppState) -> Result<Named> {
    let header = header_project(parts)?;
    let Some(Credential::Key(_, key)) = credential(parts, state).await? else {
        return Ok(Named { project: header, permissions: Permissions::agent() });
    };
    if header.is_some_and(|header| header != key.project) {
        let detail = "The API key is not of the project that `Holdfast-Project` names";
        return Err(Error::new(Code::Forbidden, detail));
    }
    let permissions = Permissions::agent().intersection(key.permissions);
    Ok(Named { project: Some(key.project), permissions })
}

/// Finds the agent whose key made this signature. Several projects may have registered the DID, and
/// a DID whose method we cannot check may have a key of the project's own choosing. Agents whose
/// key does not verify are ignored, so that no project gets in another's way.
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
        match signature::verify(parts, state, has_body, signature, &agent.public_key) {
            Ok(_) if found.is_some() => {
                let detail = format!(
                    "{} is registered in several projects; name one with the `Holdfast-Project` header",
                    signature.did()
                );
                return Err(Error::new(Code::ProjectAmbiguous, detail));
            }
            Ok(proof) => found = Some((agent, proof)),
            Err(error) => refusal = Some(error),
        }
    }
    found.ok_or_else(|| {
        let unknown =
            format!("{} is not registered; register it with POST /v1/agents first", signature.did());
        refusal.unwrap_or_else(|| Error::new(Code::AgentUnknown, unknown))
    })
}
