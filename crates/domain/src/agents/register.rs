//! Registering an agent, and registering it anew.

use kernel::{
    Core,
    answer::Answer,
    audit::Change,
    caller::{Authorized, allow},
    checks::{Checks, TEXT_ERRORS},
    error::{Code, Codes, Error, Result},
    ports::Credential,
    signature::Proof,
};

use super::{
    limits::MAX_AGENTS,
    model::{Agent, AgentName, Registration},
    rules::{check_capabilities, check_endpoint, check_name},
    store,
};

/// The codes of [`register`].
pub const REGISTER_ERRORS: Codes = &[
    TEXT_ERRORS,
    &[Code::InvalidDid, Code::InvalidPublicKey, Code::DidKeyMismatch, Code::InvalidEndpoint],
    // Another DID or key signed.
    &[Code::Forbidden],
    // The DID is registered with another key.
    &[Code::AgentKeyConflict],
    &[Code::LimitReached],
];

/// Registers the agent that signed the request, or changes its registration.
///
/// # Errors
/// [`REGISTER_ERRORS`].
pub async fn register(
    core: &Core,
    by: &Authorized<allow::AgentsWrite>,
    wanted: Registration,
) -> Result<Answer<Agent>> {
    let wanted = check(core, by.request.proof.as_deref(), wanted)?;
    core.write_once(by, async |unit| {
        let before = store::lock(unit, by.project, &AgentName::Did(wanted.did.clone())).await?;
        let Some((agent, is_new)) = store::upsert(unit, by.project, &wanted).await? else {
            let detail = format!("{} is registered with another key; remove that agent first", wanted.did);
            return Err(Error::new(Code::AgentKeyConflict, detail));
        };
        if store::count(unit, by.project).await? > MAX_AGENTS {
            let detail = format!("A project can have at most {MAX_AGENTS} agents; remove one first");
            return Err(Error::new(Code::LimitReached, detail));
        }
        match &before {
            Some(before) => unit.audit("agent.updated", agent.id, Change::updated(before, &agent)?),
            None if is_new => unit.audit("agent.registered", agent.id, Change::created(&agent)?),
            // It was removed, and its row is used again.
            None => unit.audit("agent.updated", agent.id, Change::created(&agent)?),
        }
        unit.forget(Credential::Agent(by.project, agent.did.clone()));
        if is_new { Answer::created(&agent) } else { Answer::ok(&agent) }
    })
    .await
}

fn check(core: &Core, proof: Option<&Proof>, wanted: Registration) -> Result<Agent> {
    let (did, public_key) = wanted.identity()?;
    if proof.is_none_or(|proof| (&proof.did, &proof.public_key) != (&did, &public_key)) {
        let detail = "An agent registers itself: sign with the DID and key that the body names";
        return Err(Error::new(Code::Forbidden, detail));
    }
    let mut checks = Checks::new();
    check_name(&mut checks, &wanted.name);
    check_capabilities(&mut checks, &wanted.capabilities);
    let endpoint = wanted.endpoint.as_deref().and_then(|endpoint| check_endpoint(&mut checks, endpoint));
    checks.finish()?;
    let now = core.clock.now();
    Ok(Agent {
        id: core.ids.next(),
        did,
        public_key,
        name: wanted.name,
        capabilities: wanted.capabilities,
        endpoint,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}
