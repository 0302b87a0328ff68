//! A recipient settles what it leased.

use chrono::TimeDelta;

use super::{LEASE_SECONDS, State, store};
use kernel::{
    Core, audit,
    caller::Signer,
    checks::Checks,
    clock::Timestamp,
    db::Tx,
    error::{Code, Error, Result},
    ids::{AgentId, DeliveryId, LeaseToken},
    ports::Topic,
    text::excerpt,
};

/// The longest a recipient may put a delivery off, in seconds: a day.
const MAX_DELAY_SECONDS: u32 = 24 * 3600;

/// A delivery, and the token of the lease that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// What is held.
    pub delivery: DeliveryId,
    /// What proves it.
    pub token: LeaseToken,
}

/// The recipient has it. Said again with the same token, it is still so.
///
/// # Errors
/// [`Code::NotFound`] when the delivery is not the recipient's; [`Code::LeaseLost`] when the token is not the newest lease's, or the intent
/// expired; [`Code::NonceReplayed`]; those of the database.
pub async fn ack(core: &Core, by: &Signer, held: Hold) -> Result<()> {
    let now = core.clock.now();
    let mut tx = by.begin(core).await?;
    if store::ack(&mut tx, by.agent, held, now).await? {
        audit::record(&mut tx, core, &by.principal, "delivery.acked", &held.delivery.to_string()).await?;
    } else if settled_as(&mut tx, by.agent, held).await? != Some(State::Acked) {
        return Err(lost(held));
    }
    tx.commit().await?;
    Ok(())
}

/// The recipient could not deal with it: it may be leased again after `delay_seconds`. Returns when.
///
/// # Errors
/// As [`ack`], and a delay of more than a day or a reason of more than 500 characters.
pub async fn nack(core: &Core, by: &Signer, held: Hold, delay_seconds: u32, reason: Option<&str>) -> Result<Timestamp> {
    let mut checks = Checks::new();
    if delay_seconds > MAX_DELAY_SECONDS {
        checks.broken(Code::OutOfRange, "/delay_seconds", format!("must be at most {MAX_DELAY_SECONDS}"));
    }
    checks.optional_text("/reason", reason, 1..=500);
    checks.finish()?;

    let now = core.clock.now();
    let visible_at = now + TimeDelta::seconds(delay_seconds.into());
    let error = reason.map_or_else(|| "the recipient declined it".to_owned(), |reason| excerpt(reason, 500));
    let mut tx = by.begin(core).await?;
    if !store::release(&mut tx, by.agent, held, now, visible_at, &error).await? {
        settled_as(&mut tx, by.agent, held).await?;
        return Err(lost(held));
    }
    tx.commit().await?;
    core.wake.wake(Topic::Inbox(by.agent));
    Ok(visible_at)
}

/// The recipient needs longer: the lease now ends `seconds` from now. Returns when.
///
/// # Errors
/// As [`ack`], and seconds out of range.
pub async fn extend(core: &Core, by: &Signer, held: Hold, seconds: u32) -> Result<Timestamp> {
    let mut checks = Checks::new();
    let lease = check_lease_seconds(&mut checks, "/seconds", seconds);
    checks.finish()?;
    let now = core.clock.now();
    let mut tx = by.begin(core).await?;
    if !store::extend(&mut tx, by.agent, held, now, now + lease).await? {
        settled_as(&mut tx, by.agent, held).await?;
        return Err(lost(held));
    }
    tx.commit().await?;
    Ok(now + lease)
}

pub(super) fn check_lease_seconds(checks: &mut Checks, pointer: &str, seconds: u32) -> TimeDelta {
    if !LEASE_SECONDS.contains(&seconds) {
        let detail = format!("must be {} to {} seconds, was {seconds}", LEASE_SECONDS.start(), LEASE_SECONDS.end());
        checks.broken(Code::OutOfRange, pointer, detail);
    }
    TimeDelta::seconds(seconds.into())
}

/// How a delivery was settled by this very lease, if it was; says so when it is not the recipient's at all.
async fn settled_as(tx: &mut Tx, recipient: AgentId, held: Hold) -> Result<Option<State>> {
    match store::settled_by(tx, recipient, held.delivery).await? {
        None => Err(Error::not_found(format!("delivery {}", held.delivery))),
        Some((state, token)) => Ok((token == Some(held.token)).then_some(state)),
    }
}

fn lost(held: Hold) -> Error {
    let detail = format!(
        "This lease of {} is no longer held: it ended and was taken again, or the delivery is settled",
        held.delivery
    );
    Error::new(Code::LeaseLost, detail)
}
