//! Callers who have proved who they are.

use std::{fmt, sync::Arc};

use super::{Permission, Permissions, Plan, RequestContext, Role};
use crate::{
    error::{Code, Error, Result},
    ids::{AgentId, ApiKeyId, OrganizationId, ProjectId, SessionId, UserId},
    signature::Proof,
};

/// An actor, as the audit log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A holder of the project's API key.
    ApiKey(ApiKeyId),
    /// An agent, by its signature.
    Agent(AgentId),
    /// A person, by their session.
    Person(UserId),
    /// Somebody who has not proved who they are.
    Anonymous,
    /// Holdfast itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::ApiKey(id) => id.fmt(f),
            Actor::Agent(id) => id.fmt(f),
            Actor::Person(id) => id.fmt(f),
            Actor::Anonymous => f.write_str("anonymous"),
            Actor::System => f.write_str("system"),
        }
    }
}

/// Something that has permissions, some of which a use case requires.
pub trait HasPermissions {
    /// Returns what it may do.
    fn permissions(&self) -> Permissions;
}

/// Something that asks by a request.
pub trait HasRequest {
    /// Returns the request, to add to it what was read later than who asks.
    fn request_mut(&mut self) -> &mut RequestContext;
}

/// An authenticated caller inside one project.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The tenant.
    pub project: ProjectId,
    /// The actor in it.
    pub actor: Actor,
    /// The actor's permissions there.
    pub permissions: Permissions,
    /// The project's plan.
    pub plan: Plan,
    /// The request they ask by.
    pub request: RequestContext,
}

impl Principal {
    /// Returns Holdfast itself, at work in a project.
    pub fn system(project: ProjectId) -> Self {
        Self {
            project,
            actor: Actor::System,
            permissions: Permissions::all(),
            plan: Plan::Scale,
            request: RequestContext::default(),
        }
    }
}

impl HasPermissions for Principal {
    fn permissions(&self) -> Permissions {
        self.permissions
    }
}

impl HasRequest for Principal {
    fn request_mut(&mut self) -> &mut RequestContext {
        &mut self.request
    }
}

/// An agent that signed the request it asks by.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The agent as an actor of its project.
    pub principal: Principal,
    /// The agent.
    pub agent: AgentId,
    /// Its signature over the request.
    pub proof: Arc<Proof>,
}

impl HasPermissions for Signer {
    fn permissions(&self) -> Permissions {
        self.principal.permissions
    }
}

impl HasRequest for Signer {
    fn request_mut(&mut self) -> &mut RequestContext {
        &mut self.principal.request
    }
}

/// A person who is logged in, wherever they are a member.
#[derive(Debug, Clone)]
pub struct Person {
    /// The person.
    pub user: UserId,
    /// The login they proved it by.
    pub session: SessionId,
    /// The request they ask by.
    pub request: RequestContext,
}

impl HasRequest for Person {
    fn request_mut(&mut self) -> &mut RequestContext {
        &mut self.request
    }
}

/// A person inside one organization, whose membership the running transaction has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// The organization.
    pub organization: OrganizationId,
    /// Their role in it.
    pub role: Role,
}

impl Member {
    /// Requires that the member's role has `permission`.
    ///
    /// # Errors
    /// [`Code::PermissionMissing`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        Permissions::of_role(self.role).require(permission)
    }

    /// Requires that this member can manage a member with `role`, or give somebody that role:
    /// nobody manages a higher role than their own.
    ///
    /// # Errors
    /// [`Code::RoleTooHigh`].
    pub fn can_manage(&self, role: Role) -> Result<()> {
        if role <= self.role {
            return Ok(());
        }
        let own = self.role;
        let detail = format!(
            "A member who is {own} cannot create, change or remove one who is {role}; ask one who is {role}"
        );
        Err(Error::new(Code::RoleTooHigh, detail))
    }
}
