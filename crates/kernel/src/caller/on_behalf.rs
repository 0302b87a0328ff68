//! The caller on whose behalf a transaction runs.

use super::{Allows, Authorized, By, Person, Principal, RequestContext, Signer, request::NO_REQUEST};
use crate::{db::DbScope, ids::OrganizationId, signature::Proof};

/// The caller on whose behalf a transaction runs: the rows it sees, the actor that the audit log
/// names, and the request that caused it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The role and the tenant of the transaction.
    pub scope: DbScope,
    /// The actor, and whom the work concerns.
    pub by: By,
    /// The request.
    pub request: &'a RequestContext,
    /// True when an earlier transaction of the request consumed the nonce of its signature.
    consumed: bool,
}

impl<'a> Caller<'a> {
    /// Returns somebody who signs up, logs in or proves an address.
    pub fn anonymous(request: &'a RequestContext) -> Self {
        Self { scope: DbScope::PreAuth, by: By::anonymous(), request, consumed: false }
    }

    /// Returns Holdfast itself.
    pub fn system(scope: DbScope) -> Self {
        Self::job(scope, &NO_REQUEST)
    }

    /// Returns a job, which joins the trace of the request that caused it.
    pub fn job(scope: DbScope, request: &'a RequestContext) -> Self {
        let project = match scope {
            DbScope::Project(project) | DbScope::Job(project) => Some(project),
            _ => None,
        };
        Self { scope, by: By { project, ..By::system() }, request, consumed: false }
    }

    /// Returns a person who becomes a member of an organization.
    pub fn joining(person: &'a Person) -> Self {
        Self { scope: DbScope::Joining(person.user), ..person.into() }
    }

    /// Returns a person whose request takes the rights of [`DbScope::PreAuth`]: a change of their
    /// password, or the end of their account.
    pub fn pre_auth(person: &'a Person) -> Self {
        Self { scope: DbScope::PreAuth, ..person.into() }
    }

    /// Returns a person in an organization; whether they are a member is read later.
    pub fn in_organization(person: &'a Person, organization: OrganizationId) -> Self {
        let by = By { user: None, organization: Some(organization), ..By::person(person.user) };
        Self {
            scope: DbScope::Member(person.user, organization),
            by,
            request: &person.request,
            consumed: false,
        }
    }

    /// Returns the caller of a further transaction of the same request, whose first one has
    /// consumed the nonce.
    pub fn further(self) -> Self {
        Self { consumed: true, ..self }
    }

    /// Returns the request's signature, if its nonce is yet to be consumed.
    pub(crate) fn proof(&self) -> Option<&'a Proof> {
        self.request.proof.as_deref().filter(|_| !self.consumed)
    }
}

impl<'a> From<&'a Person> for Caller<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            scope: DbScope::Person(person.user),
            by: By::person(person.user),
            request: &person.request,
            consumed: false,
        }
    }
}

impl<'a, P: Allows> From<&'a Authorized<P>> for Caller<'a> {
    fn from(by: &'a Authorized<P>) -> Self {
        of_principal(by)
    }
}

impl<'a, P: Allows> From<&'a Authorized<P, Signer>> for Caller<'a> {
    fn from(by: &'a Authorized<P, Signer>) -> Self {
        of_principal(&by.principal)
    }
}

fn of_principal(principal: &Principal) -> Caller<'_> {
    let by = By { actor: principal.actor, project: Some(principal.project), organization: None, user: None };
    Caller { scope: DbScope::Project(principal.project), by, request: &principal.request, consumed: false }
}
