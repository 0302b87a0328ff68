//! A request from inside a project: by its API key, by one of its agents, or by a person of its organisation.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use kernel::{
    Code, Error, Result,
    caller::{Actor, Principal},
    ids::ProjectId,
    signature::Proof,
};
use uuid::Uuid;

use super::{
    bearer::credential,
    request::{self, header_project},
    signed::signer,
    with::Caller,
};
use crate::{problem::Problem, state::AppState};

/// Who asks, and the proof when an agent does. Where the path has a `{project}`, it is that one.
#[derive(Debug)]
pub struct InProject {
    /// Project and actor.
    pub principal: Principal,
    /// The agent's signature; none when an API key or an access token was used.
    pub proof: Option<Proof>,
}

impl FromRequestParts<AppState> for InProject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::prove(parts, state, false).await?)
    }
}

impl Caller for InProject {
    async fn prove(parts: &mut Parts, state: &AppState, has_body: bool) -> Result<Self> {
        let of_path = path_project(parts).await?;
        if request::is_signed(parts) {
            let signer = signer(parts, state, has_body).await?;
            if of_path.is_some_and(|project| project != signer.principal.project) {
                return Err(Error::new(Code::NotFound, "There is no project of that id"));
            }
            return Ok(Self { principal: signer.principal, proof: Some(signer.proof) });
        }
        let Some(credential) = credential(parts, state).await? else {
            let detail = "Send an API key or access token as `Authorization: Bearer …`, or sign the request as one of the project's agents";
            return Err(Error::new(Code::CredentialsMissing, detail));
        };
        let named = match of_path {
            Some(project) => Some(project),
            None => header_project(parts)?,
        };
        Ok(Self { principal: credential.in_project(parts, state, named).await?, proof: None })
    }

    fn actor(&self) -> Actor {
        self.principal.actor
    }

    fn tenant(&self) -> Uuid {
        self.principal.project.uuid()
    }
}

/// The project that the path names.
async fn path_project(parts: &mut Parts) -> Result<Option<ProjectId>> {
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else { return Ok(None) };
    let named = params.iter().find(|(name, _)| *name == "project");
    named
        .map(|(_, text)| text.parse().map_err(|_| Error::new(Code::NotFound, "There is no project of that id")))
        .transpose()
}
