//! Payloads of the registry's jobs.

use kernel::{
    ids::{AgentId, ProjectId},
    queue::Job,
};
use serde::{Deserialize, Serialize};

/// Settles what was on its way to an agent that was removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RetireAgent {
    /// The project that had the agent.
    pub project: ProjectId,
    /// The removed agent.
    pub agent: AgentId,
}

impl Job for RetireAgent {
    const KIND: &'static str = "agents.retire";
}
