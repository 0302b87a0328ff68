//! A request from a person, wherever they are a member.

use axum::{extract::FromRequestParts, http::request::Parts};
use kernel::{
    Code, Error, Result,
    caller::{Actor, Person},
};
use uuid::Uuid;

use super::{bearer::credential, with::Caller};
use crate::{problem::Problem, state::AppState};

/// A person, by the access token of their login.
#[derive(Debug)]
pub struct LoggedIn(pub Person);

impl FromRequestParts<AppState> for LoggedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self::prove(parts, state, false).await?)
    }
}

impl Caller for LoggedIn {
    async fn prove(parts: &mut Parts, state: &AppState, _: bool) -> Result<Self> {
        let Some(credential) = credential(parts, state).await? else {
            let detail = "Send the access token of a login as `Authorization: Bearer …`";
            return Err(Error::new(Code::CredentialsMissing, detail));
        };
        Ok(Self(credential.person(parts, state).await?))
    }

    fn actor(&self) -> Actor {
        Actor::Person(self.0.user)
    }

    fn tenant(&self) -> Uuid {
        self.0.user.uuid()
    }
}
