//! The audit log: who did what, in the same commit as what they did. Append-only by the grants of its table.

mod event;
mod store;

use serde::Serialize;
use sqlx::PgConnection;

pub use event::{Event, first_id_at};
pub use store::of_project;

use crate::{
    Core,
    caller::{Actor, Member, Person, Principal, RequestContext},
    crypto::sha256,
    error::{Error, Result},
    ids::{OrganizationId, ProjectId, UserId},
};

/// Who did it, where, and by which request. A [`Principal`], a [`Person`] or a [`Member`] becomes one.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Who.
    pub actor: Actor,
    /// In which project, if in one.
    pub project: Option<ProjectId>,
    /// In which organisation; a project's is known by the project.
    pub organization: Option<OrganizationId>,
    /// Whose account it concerns; they may read it.
    pub user: Option<UserId>,
    /// By which request.
    pub request: &'a RequestContext,
}

impl<'a> By<'a> {
    /// Something that concerns the account of `user`, done by somebody who has not proved to be them: a failed login, say.
    pub fn stranger(user: UserId, request: &'a RequestContext) -> Self {
        Self { actor: Actor::Anonymous, project: None, organization: None, user: Some(user), request }
    }

    /// Something by somebody who is nobody's.
    pub fn nobody(request: &'a RequestContext) -> Self {
        Self { actor: Actor::Anonymous, project: None, organization: None, user: None, request }
    }
}

impl<'a> From<&'a Principal> for By<'a> {
    fn from(by: &'a Principal) -> Self {
        Self { actor: by.actor, project: Some(by.project), organization: None, user: None, request: &by.request }
    }
}

impl<'a> From<&'a Person> for By<'a> {
    fn from(by: &'a Person) -> Self {
        let (actor, user) = (Actor::Person(by.user), Some(by.user));
        Self { actor, project: None, organization: None, user, request: &by.request }
    }
}

impl<'a> From<&'a Member> for By<'a> {
    fn from(by: &'a Member) -> Self {
        let (actor, organization) = (Actor::Person(by.person.user), Some(by.organization));
        Self { actor, project: None, organization, user: None, request: &by.person.request }
    }
}

/// Adds a row to the caller's transaction.
///
/// `action` is `<noun>.<past participle>`; `subject` names the thing acted on, as the wire spells it.
///
/// # Errors
/// Those of the database.
pub async fn record<'a>(
    tx: &mut PgConnection,
    core: &Core,
    by: impl Into<By<'a>>,
    action: &'static str,
    subject: &str,
) -> Result<()> {
    let row = store::Row {
        id: core.ids.next(),
        at: core.clock.now(),
        by: by.into(),
        action,
        subject,
        before: None,
        after: None,
    };
    Ok(store::insert(tx, &row).await?)
}

/// [`record`], with what the subject was before and is after: SHA-256 over the JSON that the wire shows of it, so that a copy of either can be
/// held against the log.
///
/// # Errors
/// Those of the database.
pub async fn record_change<'a, T: Serialize>(
    tx: &mut PgConnection,
    core: &Core,
    by: impl Into<By<'a>>,
    action: &'static str,
    subject: &str,
    (before, after): (Option<&T>, Option<&T>),
) -> Result<()> {
    let (before, after) = (before.map(digest).transpose()?, after.map(digest).transpose()?);
    let row = store::Row { id: core.ids.next(), at: core.clock.now(), by: by.into(), action, subject, before, after };
    Ok(store::insert(tx, &row).await?)
}

fn digest<T: Serialize>(subject: &T) -> Result<[u8; 32]> {
    Ok(sha256(&serde_json::to_vec(subject).map_err(Error::internal)?))
}
