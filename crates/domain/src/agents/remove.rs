//! Removing an agent, and settling what was on its way to it.

use super::{jobs::RetireAgent, store};
use crate::intents;
use kernel::{
    Caller, Core, audit,
    caller::{Actor, Permission, Principal},
    crypto::Did,
    error::{Code, Error, Result},
    ports::Topic,
    queue::{self, Outcome},
    signature::{self, Proof},
};

/// Removes the agent: it can no longer sign, send or be sent to. What was on its way to it becomes `dead` soon after, by a job.
///
/// `proof` is there when an agent asks; it may remove only itself.
///
/// # Errors
/// [`Code::PermissionMissing`], [`Code::NotFound`], [`Code::Forbidden`], [`Code::NonceReplayed`]; those of the database.
pub async fn remove(core: &Core, by: &Principal, proof: Option<&Proof>, did: &Did) -> Result<()> {
    by.require(Permission::AgentsWrite)?;
    if matches!(by.actor, Actor::Agent(_)) && proof.is_none_or(|proof| proof.did != *did) {
        return Err(Error::new(Code::Forbidden, "An agent may remove only itself"));
    }
    let now = core.clock.now();
    let mut tx = core.db.begin(by.caller()).await?;
    if let Some(proof) = proof {
        signature::spend(&mut tx, by.project, proof).await?;
    }
    let Some(agent) = store::remove(&mut tx, by.project, did, now).await? else {
        return Err(Error::not_found(format!("agent {did}")));
    };
    queue::enqueue(&mut tx, &RetireAgent { project: by.project, agent: agent.id }, now).await?;
    let change = (Some(&agent), None);
    audit::record_change(&mut tx, core, by, "agent.removed", &agent.id.to_string(), change).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(())
}

/// Settles a removed agent's open deliveries, a thousand at a time; asks to be run again while there are more.
///
/// # Errors
/// Those of the database.
pub async fn retire(core: &Core, job: &RetireAgent) -> Result<Outcome> {
    const BATCH: i64 = 1_000;
    let mut tx = core.db.begin(Caller::Job(job.project)).await?;
    // It may have been registered anew since.
    let gone = store::is_removed(&mut tx, job.agent).await?;
    let settled = if gone { intents::bury(&mut tx, job.agent, core.clock.now(), BATCH).await? } else { 0 };
    tx.commit().await?;
    if i64::try_from(settled).unwrap_or(BATCH) < BATCH {
        Ok(Outcome::Done)
    } else {
        Ok(Outcome::Snooze(std::time::Duration::ZERO))
    }
}
