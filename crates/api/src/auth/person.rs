//! A request from a person, wherever they are a member.

use axum::{extract::FromRequestParts, http::request::Parts};
use kernel::{
    Code, Error, Result,
    caller::{HasRequest, Person, RequestContext},
};

use super::{bearer::credential, body::ProvenCaller, codes::BEARER_ERRORS};
use crate::{
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A person, by the access token of their login.
#[derive(Debug)]
pub struct LoggedIn(pub Person);

impl FromRequestParts<AppState> for LoggedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::prove(parts, state, false).await?)
    }
}

impl ProvenCaller for LoggedIn {
    async fn prove(parts: &mut Parts, state: &AppState, _: bool) -> Result<Self> {
        let Some(credential) = credential(parts, state).await? else {
            let detail = "Send the access token of a login as `Authorization: Bearer …`";
            return Err(Error::new(Code::CredentialsMissing, detail));
        };
        Ok(Self(credential.person(parts, state).await?))
    }
}

impl HasRequest for LoggedIn {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.0.request_mut()
    }
}

impl Describe for LoggedIn {
    fn describe(doc: &mut OperationDoc) {
        doc.security([("access_token", &[])]);
        doc.codes(BEARER_ERRORS);
        doc.codes(&[Code::Forbidden]);
    }
}
