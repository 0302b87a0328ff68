//! Who acts, and whom it concerns.

use super::Actor;
use crate::ids::{OrganizationId, ProjectId, UserId};

/// Who acts, and whom it concerns, as the audit log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The project it happens in, if in one.
    pub project: Option<ProjectId>,
    /// The organization it happens in; a project's follows from the project.
    pub organization: Option<OrganizationId>,
    /// Whose account it concerns; they may read it.
    pub user: Option<UserId>,
}

impl By {
    /// Somebody who has not proved who they are.
    pub const fn anonymous() -> Self {
        Self { actor: Actor::Anonymous, project: None, organization: None, user: None }
    }

    /// Somebody who has not proved to be `user`, whose account it concerns: a failed login, say.
    pub const fn anonymous_for(user: UserId) -> Self {
        Self { user: Some(user), ..Self::anonymous() }
    }

    /// The person, in what is their own.
    pub const fn person(user: UserId) -> Self {
        Self { actor: Actor::Person(user), ..Self::anonymous_for(user) }
    }

    /// Holdfast itself.
    pub const fn system() -> Self {
        Self { actor: Actor::System, ..Self::anonymous() }
    }
}
