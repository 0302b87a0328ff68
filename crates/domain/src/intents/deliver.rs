//! Delivery by the worker: it notifies a recipient that pulls, and pushes to one that has an
//! endpoint.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::{
    Core, DbScope, Unit,
    audit::Change,
    caller::{Caller, RequestContext},
    effect::{Effect, Failed, Retry},
    error::{Error, Result},
    ids::AgentId,
    ports::Topic,
    queue::Outcome,
};
use url::Url;

use super::{
    jobs::DeliverIntent,
    model::{LeaseClaim, State},
    push::{Push, PushRequest},
    store,
};

/// The wait after each failed push before the next one. After the last the delivery is dead.
pub const PUSH_SCHEDULE: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(10 * 3600),
];
/// The lease of a push: longer than any push takes, so that no second one starts beside it.
const PUSH_LEASE: TimeDelta = TimeDelta::seconds(30);

/// The next step of a job.
enum Next {
    /// No push.
    End(Outcome),
    /// The push of a delivery that was leased for it.
    Push(Box<Leased>),
}

/// A delivery that was leased to be pushed.
struct Leased {
    request: PushRequest,
    claim: LeaseClaim,
    recipient: AgentId,
}

/// Runs one [`DeliverIntent`]. No transaction is open while the endpoint is called; its settlement
/// is fenced by the lease's token, so a push that outlived its lease changes nothing.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn deliver(
    core: &Core,
    push: &dyn Push,
    job: &DeliverIntent,
    request: &RequestContext,
) -> Result<Outcome> {
    let by = Caller::job(DbScope::Job(job.project), request);
    match core.write(by, async |unit| begin(unit, job).await).await? {
        Next::End(outcome) => Ok(outcome),
        Next::Push(leased) => {
            let Leased { request, claim, recipient } = *leased;
            let pushed = push.push(request).await;
            core.write(by, async |unit| finish(unit, recipient, claim, pushed).await).await
        }
    }
}

/// Leases the delivery for a push, or returns the outcome of the job without one.
async fn begin(unit: &mut Unit<'_>, job: &DeliverIntent) -> Result<Next> {
    let now = unit.now();
    let Some(pending) = store::find_pending(unit, job.delivery).await? else {
        return Ok(Next::End(Outcome::Done));
    };
    if pending.is_removed {
        store::mark_dead(unit, job.delivery, now).await?;
        return Ok(Next::End(Outcome::Done));
    }
    let open = matches!(pending.state, State::Accepted | State::Leased) && pending.expires_at > now;
    let Some(endpoint) = pending.endpoint.filter(|_| open) else {
        if open {
            unit.wake(Topic::Inbox(pending.recipient));
        }
        return Ok(Next::End(Outcome::Done));
    };
    if pending.visible_at > now {
        // Another lease runs, or the recipient wants it later.
        let wait = (pending.visible_at - now).to_std().unwrap_or_default();
        return Ok(Next::End(Outcome::Snooze(wait + Duration::from_millis(100))));
    }
    let claim = LeaseClaim { delivery: job.delivery, token: unit.core().ids.next() };
    let Some(row) = store::lease_for_push(unit, claim, now, now + PUSH_LEASE).await? else {
        // It was leased or settled between the two statements.
        return Ok(Next::End(Outcome::Snooze(Duration::from_secs(1))));
    };
    let body = serde_json::to_vec(&row.delivery(now)?).map_err(Error::internal)?;
    let request = PushRequest {
        delivery: job.delivery,
        at: now,
        endpoint: Url::parse(&endpoint).map_err(Error::internal)?,
        body: body.into(),
        traceparent: row.traceparent.clone(),
    };
    Ok(Next::Push(Box::new(Leased { request, claim, recipient: row.recipient_id })))
}

async fn finish(
    unit: &mut Unit<'_>,
    recipient: AgentId,
    claim: LeaseClaim,
    pushed: Effect,
) -> Result<Outcome> {
    let now = unit.now();
    let Err(failed) = pushed else {
        if store::ack(unit, recipient, claim, now).await? {
            unit.audit("delivery.pushed", claim.delivery, Change::NONE);
        }
        return Ok(Outcome::Done);
    };
    match store::push_failed(unit, recipient, claim, now, &failed.detail).await? {
        Some(failures) => after_failure(unit, claim, &failed, failures).await,
        // The lease was lost: the job of the newer one continues.
        None => Ok(Outcome::Snooze(PUSH_SCHEDULE[0])),
    }
}

async fn after_failure(
    unit: &mut Unit<'_>,
    claim: LeaseClaim,
    failed: &Failed,
    failures: i32,
) -> Result<Outcome> {
    let step = usize::try_from(failures - 1).unwrap_or(0);
    match (failed.retry, PUSH_SCHEDULE.get(step)) {
        (Retry::Backoff, Some(&wait)) => return Ok(Outcome::Snooze(wait)),
        (Retry::After(asked), Some(&wait)) => return Ok(Outcome::Snooze(wait.max(asked))),
        (Retry::Never, _) | (_, None) => {}
    }
    let now = unit.now();
    store::mark_dead(unit, claim.delivery, now).await?;
    unit.audit("delivery.dead", claim.delivery, Change::NONE);
    Ok(Outcome::Done)
}
