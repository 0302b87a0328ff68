//! `Authorization: Bearer`: a project's API key, or a person's access token.

use std::sync::Arc;

use axum::http::{header, request::Parts};
use domain::identity::{KnownKey, access_token::Bearer};
use kernel::{
    Code, Error, Result,
    caller::{Actor, Permissions, Person, Plan, Principal},
    ids::{ApiKeyId, ProjectId},
};

use super::request;
use crate::state::AppState;

/// The credential in `Authorization`.
pub(super) enum Credential {
    Key(ApiKeyId, Arc<KnownKey>),
    Person(Bearer),
}

/// Checks the credential of a request; `None` when it brings none.
pub(super) async fn credential(parts: &Parts, state: &AppState) -> Result<Option<Credential>> {
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let malformed = || {
        Error::new(
            Code::CredentialsMalformed,
            "`Authorization` must be `Bearer` and an API key or access token",
        )
    };
    let (scheme, text) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed());
    }
    let text = text.trim();
    // An access token contains two full stops, which a key cannot contain.
    Ok(Some(if text.contains('.') {
        Credential::Person(state.credentials.person(text).await?)
    } else {
        let (id, known) = state.credentials.key(text).await?;
        Credential::Key(id, known)
    }))
}

impl Credential {
    /// Returns the caller in a project: a key in its own, a person in the one that `named` gives.
    /// Counts the request.
    pub(super) async fn in_project(
        self,
        parts: &Parts,
        state: &AppState,
        named: Option<ProjectId>,
    ) -> Result<Principal> {
        let (project, actor, permissions, plan) = match self {
            Credential::Key(id, known) => {
                if named.is_some_and(|named| named != known.project) {
                    request::count(parts, state, Actor::ApiKey(id), known.plan).await?;
                    return Err(Error::new(Code::NotFound, "There is no project of that id"));
                }
                (known.project, Actor::ApiKey(id), known.permissions, known.plan)
            }
            Credential::Person(bearer) => {
                let Some(project) = named else {
                    let detail = "A person names the project they mean with the `Holdfast-Project` header";
                    return Err(Error::new(Code::ProjectMissing, detail));
                };
                match state.credentials.membership(bearer.user, project).await {
                    Ok(known) => {
                        (project, Actor::Person(bearer.user), Permissions::of_role(known.role), known.plan)
                    }
                    Err(error) => {
                        request::count(parts, state, Actor::Person(bearer.user), Plan::Free).await?;
                        return Err(error);
                    }
                }
            }
        };
        request::count(parts, state, actor, plan).await?;
        Ok(Principal { project, actor, permissions, plan, request: request::context(parts) })
    }

    /// Returns the person of the access token. Counts the request.
    pub(super) async fn person(self, parts: &Parts, state: &AppState) -> Result<Person> {
        match self {
            Credential::Person(Bearer { user, session }) => {
                request::count(parts, state, Actor::Person(user), Plan::Free).await?;
                Ok(Person { user, session, request: request::context(parts) })
            }
            Credential::Key(id, known) => {
                request::count(parts, state, Actor::ApiKey(id), known.plan).await?;
                let detail = "This takes a person: send the access token of a login, not an API key";
                Err(Error::new(Code::Forbidden, detail))
            }
        }
    }
}
