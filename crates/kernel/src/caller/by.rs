//! The actor of an event, and whom the event concerns.

use super::Actor;
use crate::ids::{OrganizationId, ProjectId, UserId};

/// The actor of an event, and whom it concerns, as the audit log records them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// The actor.
    pub actor: Actor,
    /// The project it happens in, if in one.
    pub project: Option<ProjectId>,
    /// The organization it happens in; a project's follows from the project.
    pub organization: Option<OrganizationId>,
    /// The person whose account it concerns; they may read it.
    pub user: Option<UserId>,
}

impl By {
    /// Returns somebody who has not proved who they are.
    pub const fn anonymous() -> Self {
        Self { actor: Actor::Anonymous, project: None, organization: None, user: None }
    }

    /// Returns somebody who has not proved to be `user`, whose account it concerns: for example,
    /// after a failed login.
    pub const fn anonymous_for(user: UserId) -> Self {
        Self { user: Some(user), ..Self::anonymous() }
    }

    /// Returns the person, who acts on their own account.
    pub const fn person(user: UserId) -> Self {
        Self { actor: Actor::Person(user), ..Self::anonymous_for(user) }
    }

    /// Returns Holdfast itself.
    pub const fn system() -> Self {
        Self { actor: Actor::System, ..Self::anonymous() }
    }
}
