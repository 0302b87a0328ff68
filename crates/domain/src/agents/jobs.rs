//! Payloads of the registry's jobs.

use serde::{Deserialize, Serialize};

use kernel::{
    ids::{AgentId, ProjectId},
    queue::Job,
};

/// Settle what was on its way to an agent that was removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RetireAgent {
    /// Whose agent it was.
    pub project: ProjectId,
    /// The removed agent.
    pub agent: AgentId,
}

impl Job for RetireAgent {
    const KIND: &'static str = "agents.retire";
}
