//! Settlement of a delivery by its recipient.

use chrono::TimeDelta;
use kernel::{
    Core, Unit,
    audit::Change,
    caller::{Authorized, Signer, allow},
    checks::{Checks, TEXT_ERRORS},
    clock::Timestamp,
    error::{Code, Codes, Error, Result},
    ids::AgentId,
    ports::Topic,
    text::excerpt,
};

use super::{
    limits::{LEASE_SECONDS, MAX_DELAY_SECONDS},
    model::{LeaseClaim, State},
    store,
};

/// An agent that may settle the deliveries that it leased.
type Recipient = Authorized<allow::IntentsWrite, Signer>;

/// The codes of [`ack`].
pub const ACK_ERRORS: Codes = &[&[Code::NotFound, Code::LeaseLost]];
/// The codes of [`nack`].
pub const NACK_ERRORS: Codes = &[TEXT_ERRORS, &[Code::OutOfRange, Code::NotFound, Code::LeaseLost]];
/// The codes of [`extend`].
pub const EXTEND_ERRORS: Codes = &[&[Code::OutOfRange, Code::NotFound, Code::LeaseLost]];

/// Acknowledges a delivery: the recipient has it. A repetition with the same token succeeds too.
///
/// # Errors
/// [`ACK_ERRORS`]: `NotFound` when the delivery is not the recipient's; `LeaseLost` when the token
/// is not the newest lease's, or the intent expired.
pub async fn ack(core: &Core, by: &Recipient, claim: LeaseClaim) -> Result<()> {
    core.write(by, async |unit| {
        let now = unit.now();
        if store::ack(unit, by.agent, claim, now).await? {
            unit.audit("delivery.acked", claim.delivery, Change::NONE);
        } else if settled_as(unit, by.agent, claim).await? != Some(State::Acked) {
            return Err(lost(claim));
        }
        Ok(())
    })
    .await
}

/// Hands a delivery back that the recipient could not process: it may be leased again after
/// `delay_seconds`. Returns when.
///
/// # Errors
/// [`NACK_ERRORS`], as for [`ack`]; and a delay of more than a day or a reason of more than 500
/// characters.
pub async fn nack(
    core: &Core,
    by: &Recipient,
    claim: LeaseClaim,
    delay_seconds: u32,
    reason: Option<&str>,
) -> Result<Timestamp> {
    let mut checks = Checks::new();
    if delay_seconds > MAX_DELAY_SECONDS {
        checks.broken(Code::OutOfRange, "/delay_seconds", format!("must be at most {MAX_DELAY_SECONDS}"));
    }
    checks.optional_text("/reason", reason, 1..=500);
    checks.finish()?;
    let error = reason.map_or_else(|| "the recipient declined it".to_owned(), |reason| excerpt(reason, 500));
    core.write(by, async |unit| {
        let now = unit.now();
        let visible_at = now + TimeDelta::seconds(delay_seconds.into());
        if !store::release(unit, by.agent, claim, now, visible_at, &error).await? {
            settled_as(unit, by.agent, claim).await?;
            return Err(lost(claim));
        }
        unit.wake(Topic::Inbox(by.agent));
        Ok(visible_at)
    })
    .await
}

/// Extends the recipient's lease: it now ends `seconds` from now. Returns when.
///
/// # Errors
/// [`EXTEND_ERRORS`], as for [`ack`]; and seconds out of range.
pub async fn extend(core: &Core, by: &Recipient, claim: LeaseClaim, seconds: u32) -> Result<Timestamp> {
    let mut checks = Checks::new();
    let lease = check_lease_seconds(&mut checks, "/seconds", seconds);
    checks.finish()?;
    core.write(by, async |unit| {
        let now = unit.now();
        if !store::extend(unit, by.agent, claim, now, now + lease).await? {
            settled_as(unit, by.agent, claim).await?;
            return Err(lost(claim));
        }
        Ok(now + lease)
    })
    .await
}

pub(super) fn check_lease_seconds(checks: &mut Checks, pointer: &str, seconds: u32) -> TimeDelta {
    if !LEASE_SECONDS.contains(&seconds) {
        let detail =
            format!("must be {} to {} seconds, was {seconds}", LEASE_SECONDS.start(), LEASE_SECONDS.end());
        checks.broken(Code::OutOfRange, pointer, detail);
    }
    TimeDelta::seconds(seconds.into())
}

/// Returns how this very lease settled a delivery, if it did.
///
/// # Errors
/// `NotFound` when it is not the recipient's at all.
async fn settled_as(unit: &mut Unit<'_>, recipient: AgentId, claim: LeaseClaim) -> Result<Option<State>> {
    match store::settled_by(unit, recipient, claim.delivery).await? {
        None => Err(Error::not_found(format!("delivery {}", claim.delivery))),
        Some((state, token)) => Ok((token == Some(claim.token)).then_some(state)),
    }
}

fn lost(claim: LeaseClaim) -> Error {
    let detail = format!(
        "This lease of {} is no longer held: it ended and was taken again, or the delivery is settled",
        claim.delivery
    );
    Error::new(Code::LeaseLost, detail)
}
