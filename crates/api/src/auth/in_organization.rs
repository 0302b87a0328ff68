//! A request from a person in one of their organizations, which the path names.

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::identity::organizations::{AsMember, MEMBER_ERRORS};
use kernel::{
    Code, Result,
    caller::{Allows, HasRequest, RequestContext},
    ids::OrganizationId,
};

use super::{LoggedIn, body::ProvenCaller, codes::BEARER_ERRORS};
use crate::{
    extract::{Path, path_value},
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A person who asks to act in the `{organization}` of the path with permission `P`. The use case
/// checks it in its transaction.
#[derive(Debug)]
pub struct InOrganization<P: Allows>(pub AsMember<P>);

impl<P: Allows> FromRequestParts<AppState> for InOrganization<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::prove(parts, state, false).await?)
    }
}

impl<P: Allows> ProvenCaller for InOrganization<P> {
    async fn prove(parts: &mut Parts, state: &AppState, has_body: bool) -> Result<Self> {
        let LoggedIn(person) = LoggedIn::prove(parts, state, has_body).await?;
        let organization = path_value::<OrganizationId>(parts).await?;
        Ok(Self(AsMember::new(person, organization)))
    }
}

impl<P: Allows> HasRequest for InOrganization<P> {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.0.request_mut()
    }
}

impl<P: Allows> Describe for InOrganization<P> {
    fn describe(doc: &mut OperationDoc) {
        doc.security([("access_token", &[P::PERMISSION.as_str()])]);
        doc.codes(BEARER_ERRORS);
        doc.codes(&[Code::Forbidden]);
        MEMBER_ERRORS.iter().for_each(|codes| doc.codes(codes));
        Path::<OrganizationId>::describe(doc);
    }
}
