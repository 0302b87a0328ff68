//! The worker brings a delivery to its recipient: a knock for one that pulls, a push for one that has an endpoint.

use std::{ops::ControlFlow, time::Duration};

use chrono::TimeDelta;
use url::Url;

use super::{State, jobs::DeliverIntent, settle::Hold, store};
use crate::intents::{Push, PushOutcome, PushRequest};
use kernel::{
    Caller, Core, audit,
    caller::Principal,
    db::Tx,
    error::{Error, Result},
    ids::AgentId,
    ports::Topic,
    queue::Outcome,
};

/// How long after each failed push the next is made. After the last the delivery is dead.
pub const PUSH_SCHEDULE: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(10 * 3600),
];
/// How long a push holds its delivery: longer than any push takes, so that no second one starts beside it.
const PUSH_LEASE: TimeDelta = TimeDelta::seconds(30);

/// A delivery that was leased to be pushed.
struct Leased {
    request: PushRequest,
    held: Hold,
    recipient: AgentId,
}

/// Runs one [`DeliverIntent`]. No transaction is open while the endpoint is called; its settlement is fenced by the lease's token, so a
/// push that outlived its lease changes nothing.
///
/// # Errors
/// Those of the database.
pub async fn deliver(core: &Core, push: &dyn Push, job: &DeliverIntent) -> Result<Outcome> {
    match begin(core, job).await? {
        ControlFlow::Break(outcome) => Ok(outcome),
        ControlFlow::Continue(leased) => {
            let outcome = push.push(leased.request).await;
            finish(core, job, leased.recipient, leased.held, outcome).await
        }
    }
}

/// Leases the delivery for a push; or says how the job goes on without one.
async fn begin(core: &Core, job: &DeliverIntent) -> Result<ControlFlow<Outcome, Box<Leased>>> {
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Job(job.project)).await?;
    let Some(standing) = store::standing(&mut tx, job.delivery).await? else {
        return Ok(ControlFlow::Break(Outcome::Done));
    };
    if standing.is_removed {
        store::give_up(&mut tx, job.delivery, now).await?;
        tx.commit().await?;
        return Ok(ControlFlow::Break(Outcome::Done));
    }
    let open = matches!(standing.state, State::Accepted | State::Leased) && standing.expires_at > now;
    let Some(endpoint) = standing.endpoint.filter(|_| open) else {
        if open {
            core.wake.wake(Topic::Inbox(standing.recipient));
        }
        return Ok(ControlFlow::Break(Outcome::Done));
    };
    if standing.visible_at > now {
        // Somebody holds it, or wants it later.
        let wait = (standing.visible_at - now).to_std().unwrap_or_default();
        return Ok(ControlFlow::Break(Outcome::Snooze(wait + Duration::from_millis(100))));
    }
    let held = Hold { delivery: job.delivery, token: core.ids.next() };
    let Some(row) = store::lease_for_push(&mut tx, job.delivery, now, now + PUSH_LEASE, held.token).await? else {
        // It was leased or settled between the two statements.
        return Ok(ControlFlow::Break(Outcome::Snooze(Duration::from_secs(1))));
    };
    tx.commit().await?;
    let body = serde_json::to_vec(&row.delivery(now)?).map_err(Error::internal)?;
    let request = PushRequest {
        delivery: job.delivery,
        at: now,
        endpoint: Url::parse(&endpoint).map_err(Error::internal)?,
        body: body.into(),
        traceparent: row.traceparent.clone(),
    };
    Ok(ControlFlow::Continue(Box::new(Leased { request, held, recipient: row.recipient_id })))
}

async fn finish(
    core: &Core,
    job: &DeliverIntent,
    recipient: AgentId,
    held: Hold,
    outcome: PushOutcome,
) -> Result<Outcome> {
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Job(job.project)).await?;
    let next = match outcome {
        PushOutcome::Delivered => {
            if store::ack(&mut tx, recipient, held, now).await? {
                audit::record(
                    &mut tx,
                    core,
                    &Principal::system(job.project),
                    "delivery.pushed",
                    &held.delivery.to_string(),
                )
                .await?;
            }
            Outcome::Done
        }
        PushOutcome::Failed(error) => match store::push_failed(&mut tx, recipient, held, now, &error).await? {
            Some(failed) => after_failure(&mut tx, core, job, failed).await?,
            // The lease was lost: whoever has it now goes on.
            None => Outcome::Snooze(PUSH_SCHEDULE[0]),
        },
    };
    tx.commit().await?;
    Ok(next)
}

async fn after_failure(tx: &mut Tx, core: &Core, job: &DeliverIntent, failed: i32) -> Result<Outcome> {
    let step = usize::try_from(failed - 1).unwrap_or(0);
    if let Some(&wait) = PUSH_SCHEDULE.get(step) {
        return Ok(Outcome::Snooze(wait));
    }
    store::give_up(tx, job.delivery, core.clock.now()).await?;
    audit::record(tx, core, &Principal::system(job.project), "delivery.dead", &job.delivery.to_string()).await?;
    Ok(Outcome::Done)
}
