//! Payloads of the registry's jobs.

use kernel::{
    ids::{AgentId, ProjectId},
    queue::Job,
};
use serde::{Deserialize, Serialize};

/// Settles the deliveries that were on their way to a removed agent.
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
