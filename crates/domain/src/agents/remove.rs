//! Removing an agent.

use kernel::{
    Core,
    audit::Change,
    caller::{Authorized, allow},
    error::{Code, Codes, Result},
    ports::Credential,
};

use super::{
    jobs::RetireAgent,
    model::AgentName,
    rules::{require_itself, unknown},
    store,
};

/// The codes of [`remove`].
pub const REMOVE_ERRORS: Codes = &[&[Code::Forbidden, Code::NotFound]];

/// Removes the agent: it can no longer sign, send or receive. A job then marks the deliveries that
/// were on their way to it as `dead`. An agent may remove only itself.
///
/// # Errors
/// [`REMOVE_ERRORS`].
pub async fn remove(core: &Core, by: &Authorized<allow::AgentsWrite>, name: &AgentName) -> Result<()> {
    require_itself(by, name)?;
    core.write(by, async |unit| {
        let now = unit.now();
        let agent = store::remove(unit, by.project, name, now).await?;
        let agent = agent.ok_or_else(|| unknown(name))?;
        unit.enqueue(&RetireAgent { project: by.project, agent: agent.id })?;
        unit.audit("agent.removed", agent.id, Change::removed(&agent)?);
        unit.forget(Credential::Agent(by.project, agent.did));
        Ok(())
    })
    .await
}
