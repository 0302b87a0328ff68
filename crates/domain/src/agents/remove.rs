//! Removing an agent.

use kernel::{
    Core,
    audit::Change,
    caller::{Actor, Authorized, allow},
    error::{Code, Codes, Error, Result},
    ids::AgentId,
    ports::Credential,
};

use super::{jobs::RetireAgent, model::AgentName, store};

/// The codes of [`remove`].
pub const REMOVE_ERRORS: Codes = &[&[Code::Forbidden, Code::NotFound]];

/// Removes the agent: it can no longer sign, send or be sent to. What was on its way to it becomes
/// `dead` soon after, by a job. An agent may remove only itself.
///
/// # Errors
/// [`REMOVE_ERRORS`].
pub async fn remove(core: &Core, by: &Authorized<allow::AgentsWrite>, name: &AgentName) -> Result<()> {
    if let Actor::Agent(signer) = by.actor
        && !is_itself(by, signer, name)
    {
        return Err(Error::new(Code::Forbidden, "An agent may remove only itself"));
    }
    core.write(by, async |unit| {
        let now = unit.now();
        let agent = store::remove(unit, by.project, name, now).await?;
        let agent = agent.ok_or_else(|| Error::not_found(format!("agent {name}")))?;
        unit.enqueue(&RetireAgent { project: by.project, agent: agent.id })?;
        unit.audit("agent.removed", agent.id, Change::removed(&agent)?);
        unit.forget(Credential::Agent(by.project, agent.did));
        Ok(())
    })
    .await
}

/// Returns whether a name is that of the agent which signed the request.
fn is_itself(by: &Authorized<allow::AgentsWrite>, signer: AgentId, name: &AgentName) -> bool {
    match name {
        AgentName::Id(id) => *id == signer,
        AgentName::Did(did) => by.request.proof.as_ref().is_some_and(|proof| proof.did == *did),
    }
}
