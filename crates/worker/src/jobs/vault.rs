//! The vault's background work.

use std::time::Duration;

use kernel::{Code, Result, queue::Outcome};
use tokio::sync::Semaphore;
use vault::{
    self,
    fsck::{self, Check},
    jobs::{CheckLog, DigestAudit, DrainOutbox, ExpireProposal},
    outbox,
};

use crate::{
    context::{Attempt, Context},
    timing::jittered,
};

/// The number of checks that run at a time. Checks read much: the others come back later, so that
/// they do not keep slots from quick jobs.
static CHECKS: Semaphore = Semaphore::const_new(2);
/// The time after which a job whose log is busy comes back.
const BUSY: Duration = Duration::from_secs(1);
/// The most batches of heads that one run publishes; the next run goes on.
const BATCHES: u32 = 20;
/// The timeout of the witnesses, who are asked at once, before heads are published and again after.
const WITNESS_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time after which a check comes back that found no free slot.
const TURN: Duration = Duration::from_secs(20);

/// Turns a busy log from a failure of the job into a snooze.
fn later(ended: Result<Outcome>) -> Result<Outcome> {
    match ended {
        Err(error) if error.code() == Code::Overloaded => Ok(Outcome::Snooze(error.wait().unwrap_or(BUSY))),
        ended => ended,
    }
}

/// Seals a proposal as void if nobody decided it.
pub(crate) async fn expire_proposal(context: Context, job: ExpireProposal, _: Attempt) -> Result<Outcome> {
    later(vault::expire(&context.vault, &job).await)
}

/// Appends the seals that other areas left in the outbox.
pub(crate) async fn drain_outbox(context: Context, job: DrainOutbox, _: Attempt) -> Result<Outcome> {
    later(outbox::drain(&context.vault, job.project).await.map(|()| Outcome::Done))
}

/// Digests the new events of a project's audit log.
pub(crate) async fn digest_audit(context: Context, job: DigestAudit, attempt: Attempt) -> Result<Outcome> {
    vault::digest_project(&context.core, job.project, &attempt.request).await?;
    Ok(Outcome::Done)
}

/// Enqueues a digest of each audit log that has new events.
pub(crate) async fn digest(context: Context) -> Result<()> {
    vault::digest_all(&context.core).await
}

/// Publishes the heads of all logs in the meta-log, and has the meta-log cosigned. A witness that
/// did not answer at first is not asked again. A witness that has seen entries which the database
/// does not hold fails the task.
pub(crate) async fn publish(context: Context) -> Result<()> {
    let reached = context.vault.check_rollback(&context.witnesses, WITNESS_TIMEOUT).await?;
    for _ in 0..BATCHES {
        if !vault::publish(&context.vault).await?.more {
            break;
        }
    }
    vault::cosign(&context.vault, &reached, WITNESS_TIMEOUT).await?;
    Ok(())
}

/// Rebuilds a log from its entries, compares, and records the outcome. A finding is no failure of
/// the job, since another run would find the same.
pub(crate) async fn check_log(context: Context, job: CheckLog, _: Attempt) -> Result<Outcome> {
    let Ok(_turn) = CHECKS.try_acquire() else {
        return Ok(Outcome::Snooze(jittered(&context.core.ids, TURN)));
    };
    let check = Check {
        witnesses: context.witnesses.iter().map(|witness| witness.key().clone()).collect(),
        against: Vec::new(),
    };
    let report = Box::pin(fsck::check(&context.vault, job.project.into(), &check, |_, _| {})).await?;
    fsck::save(&context.core, &report).await?;
    match report.summary() {
        Some(finding) => tracing::error!(
            log = %report.log, size = report.size, findings = report.count, finding,
            "a log of the vault is not as it was sealed; docs/operations.md says what to do"
        ),
        None => {
            tracing::debug!(log = %report.log, size = report.size, "a log of the vault is as it was sealed")
        }
    }
    Ok(Outcome::Done)
}

/// Enqueues a check of every log.
pub(crate) async fn check(context: Context) -> Result<()> {
    fsck::check_all(&context.vault).await
}
