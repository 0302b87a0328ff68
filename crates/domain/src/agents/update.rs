//! Changing an agent.

use kernel::{
    Core,
    audit::Change,
    caller::{Authorized, allow},
    checks::{Checks, TEXT_ERRORS},
    error::{Code, Codes, Result},
    patch::Patch,
    ports::Credential,
    version::Expected,
};
use url::Url;

use super::{
    model::{Agent, AgentName, AgentPatch},
    rules::{check_capabilities, check_endpoint, check_name, require_itself, unknown},
    store,
};

/// The codes of [`update`].
pub const UPDATE_ERRORS: Codes = &[
    TEXT_ERRORS,
    &[Code::InvalidEndpoint],
    // One agent named another.
    &[Code::Forbidden],
    &[Code::NotFound, Code::VersionMismatch],
];

/// Changes the agent's name, capabilities or endpoint. An agent may change only itself.
///
/// # Errors
/// [`UPDATE_ERRORS`].
pub async fn update(
    core: &Core,
    by: &Authorized<allow::AgentsWrite>,
    name: &AgentName,
    wanted: AgentPatch,
    expected: Expected,
) -> Result<Agent> {
    require_itself(by, name)?;
    let endpoint = check(&wanted)?;
    core.write(by, async |unit| {
        let before = store::lock(unit, by.project, name).await?.ok_or_else(|| unknown(name))?;
        expected.check(before.version)?;
        let wanted = Agent {
            name: wanted.name.or(before.name.clone()),
            capabilities: wanted.capabilities.or(before.capabilities.clone()),
            endpoint: endpoint.or(before.endpoint.clone()),
            ..before.clone()
        };
        if wanted == before {
            return Ok(before);
        }
        let after = Agent { version: before.version + 1, updated_at: unit.now(), ..wanted };
        store::update(unit, by.project, &after).await?;
        unit.audit("agent.updated", after.id, Change::updated(&before, &after)?);
        unit.forget(Credential::Agent(by.project, after.did.clone()));
        Ok(after)
    })
    .await
}

/// Checks every value that is there, and returns the endpoint as a URL.
fn check(wanted: &AgentPatch) -> Result<Patch<Option<Url>>> {
    let mut checks = Checks::new();
    if let Some(name) = wanted.name.as_set() {
        check_name(&mut checks, name);
    }
    if let Some(capabilities) = wanted.capabilities.as_set() {
        check_capabilities(&mut checks, capabilities);
    }
    let endpoint = match wanted.endpoint.as_set() {
        None => Patch::Keep,
        Some(endpoint) => {
            Patch::Set(endpoint.as_deref().and_then(|endpoint| check_endpoint(&mut checks, endpoint)))
        }
    };
    checks.finish()?;
    Ok(endpoint)
}
