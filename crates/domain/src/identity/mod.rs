//! Who is calling: projects, their API keys, and agents that sign their requests.

mod api_key;
mod authenticate;
mod bootstrap;
mod store;

use std::fmt;

pub use api_key::{ApiKey, NotAnApiKey};
pub use authenticate::{KnownAgent, KnownKey, find_agents, find_key};
pub use bootstrap::bootstrap;

use crate::{
    Core,
    db::{Caller, Tx},
    error::Result,
    ids::{AgentId, ApiKeyId, ProjectId},
    signature::{self, Proof},
};

/// Who acts, as the audit log spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A holder of the project's API key.
    ApiKey(ApiKeyId),
    /// An agent, by its signature.
    Agent(AgentId),
    /// Holdfast itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::ApiKey(id) => id.fmt(f),
            Actor::Agent(id) => id.fmt(f),
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
}

/// An authenticated caller inside one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The tenant.
    pub project: ProjectId,
    /// Who in it.
    pub actor: Actor,
    /// By which request.
    pub request: RequestContext,
}

impl Principal {
    /// Holdfast itself, at work in a project.
    pub fn system(project: ProjectId) -> Self {
        Self { project, actor: Actor::System, request: RequestContext::default() }
    }

    /// The caller that a transaction of this principal begins as.
    pub fn caller(&self) -> Caller {
        Caller::Project(self.project)
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
}
