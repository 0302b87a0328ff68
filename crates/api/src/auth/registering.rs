//! A registration: the project's API key, or a person, says where; the signature of the key in the body proves that the caller holds it.

use axum::{
    RequestExt,
    extract::{FromRequest, Request},
};
use domain::agents::Registration;
use kernel::{Code, Error, caller::Principal, idempotency::Once, signature::Proof};

use super::{bearer::credential, request, with};
use crate::{extract, problem::Problem, state::AppState};

/// A registration whose signature verifies under the key it names.
#[derive(Debug)]
pub struct Registering {
    /// The project, and who registers the agent there.
    pub principal: Principal,
    /// The proof of possession.
    pub proof: Proof,
    /// What the agent says of itself.
    pub registration: Registration,
    /// Set when the same request may come again.
    pub once: Option<Once>,
}

impl FromRequest<AppState> for Registering {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.with_limited_body().into_parts();
        let Some(credential) = credential(&parts, state).await? else {
            let detail = "Registering takes the project's API key, or the access token of a person beside `Holdfast-Project`, as \
                          `Authorization: Bearer …`, and the agent's signature";
            return Err(Error::new(Code::CredentialsMissing, detail).into());
        };
        let principal = credential.in_project(&parts, state, request::header_project(&parts)?).await?;
        let bytes = extract::body_bytes(body).await?;
        let signature = request::signature(&parts, state, !bytes.is_empty())?;
        request::digest(&parts, state, &bytes)?;
        let registration: Registration = extract::json(&parts.headers, &bytes)?;
        let (_, public_key) = registration.identity()?;
        let proof = request::verify(&parts, state, !bytes.is_empty(), &signature, &public_key)?;
        let once = with::once(&parts, state, (principal.project.uuid(), principal.actor), &bytes)?;
        Ok(Self { principal, proof, registration, once })
    }
}
