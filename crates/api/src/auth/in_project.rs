//! A request from inside a project: by its API key, by one of its agents, or by a person of its
//! organization.

use axum::{extract::FromRequestParts, http::request::Parts};
use kernel::{
    Code, Error, Result,
    caller::{Allows, Authorized, HasRequest, Permissions, Principal, RequestContext},
    ids::ProjectId,
};

use super::{
    bearer::credential,
    body::ProvenCaller,
    codes::{BEARER_ERRORS, DIGEST_ERRORS, PROJECT_ERRORS, SIGNATURE_ERRORS},
    request::header_project,
    signature::is_signed,
    signed::signer,
};
use crate::{
    extract::{Path, path_value},
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A caller in a project who has permission `P`. Where the path has a `{project}`, it is that one.
pub struct InProject<P>(pub Authorized<P>);

impl<P: Allows> FromRequestParts<AppState> for InProject<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::prove(parts, state, false).await?)
    }
}

impl<P: Allows> ProvenCaller for InProject<P> {
    async fn prove(parts: &mut Parts, state: &AppState, has_body: bool) -> Result<Self> {
        // Nothing is asked of a signature that could not allow this.
        if is_signed(parts) {
            Permissions::agent().require(P::PERMISSION)?;
        }
        let ProjectCaller(principal) = ProjectCaller::prove(parts, state, has_body).await?;
        Authorized::check(principal).map(Self)
    }
}

impl<P: Allows> HasRequest for InProject<P> {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.0.request_mut()
    }
}

impl<P: Allows> Describe for InProject<P> {
    fn describe(doc: &mut OperationDoc) {
        let permission = P::PERMISSION;
        let in_path = doc.has_placeholder("project");
        doc.codes(BEARER_ERRORS);
        doc.codes(&[Code::PermissionMissing, Code::NotFound]);
        if permission.is_scope() {
            doc.security([("api_key", &[permission.as_str()])]);
        }
        doc.security([("access_token", &[permission.as_str()])]);
        if Permissions::agent().allow(permission) && !in_path {
            doc.security([("agent_signature", &[])]);
            doc.codes(SIGNATURE_ERRORS);
            doc.codes(DIGEST_ERRORS);
            if !doc.is_get() {
                doc.codes(&[Code::NonceReplayed]);
            }
        }
        if in_path {
            Path::<ProjectId>::describe(doc);
        } else {
            doc.codes(PROJECT_ERRORS);
            let detail = "The project that a person means, or an agent that is registered in several.";
            let schema = <ProjectId as utoipa::PartialSchema>::schema();
            doc.header("Holdfast-Project", false, detail, schema);
        }
    }
}

/// A caller in a project, whose permissions are yet to be checked.
#[derive(Debug)]
pub struct ProjectCaller(pub Principal);

impl ProvenCaller for ProjectCaller {
    async fn prove(parts: &mut Parts, state: &AppState, has_body: bool) -> Result<Self> {
        let in_path = path_project(parts).await?;
        if is_signed(parts) {
            let signer = signer(parts, state, has_body).await?;
            if in_path.is_some_and(|project| project != signer.principal.project) {
                return Err(Error::new(Code::NotFound, "There is no project of that id"));
            }
            return Ok(Self(signer.principal));
        }
        let Some(credential) = credential(parts, state).await? else {
            let detail = "Send an API key or access token as `Authorization: Bearer …`, or sign the request \
                as one of the project's agents";
            return Err(Error::new(Code::CredentialsMissing, detail));
        };
        let named = match in_path {
            Some(project) => Some(project),
            None => header_project(parts)?,
        };
        Ok(Self(credential.in_project(parts, state, named).await?))
    }
}

impl HasRequest for ProjectCaller {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.0.request_mut()
    }
}

impl Describe for ProjectCaller {
    fn describe(_: &mut OperationDoc) {}
}

/// Returns the project that the path names, where it has a place for one.
async fn path_project(parts: &mut Parts) -> Result<Option<ProjectId>> {
    let template =
        parts.extensions.get::<axum::extract::MatchedPath>().map_or("", |matched| matched.as_str());
    if !template.contains("/{project}") {
        return Ok(None);
    }
    path_value::<ProjectId>(parts).await.map(Some)
}
