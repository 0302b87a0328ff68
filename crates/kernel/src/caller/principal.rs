//! Who is calling, once they have proved it.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{
    Core,
    caller::{Permission, Permissions, Plan, Role},
    db::{Caller, Tx},
    error::{Code, Error, Result},
    idempotency::Once,
    ids::{AgentId, ApiKeyId, OrganizationId, ProjectId, SessionId, UserId},
    signature::{self, Proof},
};

/// Who acts, as the audit log spells it.
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

/// What ties work to the request that caused it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestContext {
    /// The `x-request-id`.
    pub id: String,
    /// The W3C `traceparent` that jobs and outgoing calls carry on.
    pub traceparent: Option<String>,
    /// The client's address, as far as it is known.
    pub address: Option<String>,
    /// What the client says it is, cut to a bearable length.
    pub user_agent: Option<String>,
}

/// An authenticated caller inside one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The tenant.
    pub project: ProjectId,
    /// Who in it.
    pub actor: Actor,
    /// What they may do there.
    pub permissions: Permissions,
    /// What the project pays for.
    pub plan: Plan,
    /// By which request.
    pub request: RequestContext,
}

impl Principal {
    /// Holdfast itself, at work in a project.
    pub fn system(project: ProjectId) -> Self {
        Self {
            project,
            actor: Actor::System,
            permissions: Permission::ALL.iter().copied().collect(),
            plan: Plan::Scale,
            request: RequestContext::default(),
        }
    }

    /// The caller that a transaction of this principal begins as.
    pub fn caller(&self) -> Caller {
        Caller::Project(self.project)
    }

    /// # Errors
    /// [`Code::PermissionMissing`](crate::Code::PermissionMissing).
    pub fn require(&self, permission: Permission) -> Result<()> {
        self.permissions.require(permission)
    }
}

/// An agent that signed the request it is asking by.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Its project, and that it is the one who acts.
    pub principal: Principal,
    /// The agent.
    pub agent: AgentId,
    /// Its signature over the request.
    pub proof: Proof,
}

impl Signer {
    /// Begins the transaction of what the request does, and uses the signature's nonce up in it: the way into every change that an agent
    /// makes, so that none can be replayed.
    ///
    /// # Errors
    /// [`Code::NonceReplayed`](crate::Code::NonceReplayed); those of the database.
    pub async fn begin(&self, core: &Core) -> Result<Tx> {
        let mut tx = core.db.begin(self.principal.caller()).await?;
        signature::spend(&mut tx, self.principal.project, &self.proof).await?;
        Ok(tx)
    }

    /// [`begin`](Self::begin)s what may be asked twice: with the first answer, when it was, and then nothing is to be done.
    ///
    /// # Errors
    /// As [`signature::spend_once`].
    pub async fn begin_once<T: DeserializeOwned>(&self, core: &Core, once: Option<&Once>) -> Result<(Tx, Option<T>)> {
        let mut tx = core.db.begin(self.principal.caller()).await?;
        let first = signature::spend_once(&mut tx, core, self.principal.project, &self.proof, once).await?;
        Ok((tx, first))
    }
}

/// A person who is logged in, wherever they are a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user: UserId,
    /// By which login.
    pub session: SessionId,
    /// By which request.
    pub request: RequestContext,
}

impl Person {
    /// The caller that a transaction about what is theirs begins as.
    pub fn caller(&self) -> Caller {
        Caller::Person(self.user)
    }
}

/// A person inside one organisation, whose membership the running transaction has read: made by
/// [`organizations::enter`](domain::identity::organizations::enter) alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// Where.
    pub organization: OrganizationId,
    /// As what.
    pub role: Role,
}

impl Member {
    /// # Errors
    /// [`Code::PermissionMissing`](crate::Code::PermissionMissing).
    pub fn require(&self, permission: Permission) -> Result<()> {
        self.role.permissions().require(permission)
    }

    /// That this member may deal with one who is `role`, or make somebody that. Nobody reaches above themselves.
    ///
    /// # Errors
    /// [`Code::RoleTooHigh`].
    pub fn may_touch(&self, role: Role) -> Result<()> {
        if role <= self.role {
            return Ok(());
        }
        let (mine, above) = (self.role, role);
        let detail =
            format!("Who is {mine} cannot make, change or remove a member who is {above}; ask one who is {above}");
        Err(Error::new(Code::RoleTooHigh, detail))
    }
}
