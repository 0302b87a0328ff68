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

/// Checks read much. So many run at a time; the others come back later, rather than keep slots from
/// jobs that are quick.
static CHECKS: Semaphore = Semaphore::const_new(2);
/// How long a log is left alone that is busy.
const BUSY: Duration = Duration::from_secs(1);
/// How many batches of heads one run publishes; the next run goes on.
const BATCHES: u32 = 20;
/// How long witnesses are waited for, before heads are published and again after: all of them at
/// once.
const WITNESS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long at most a check waits for its turn.
const TURN: Duration = Duration::from_secs(20);

/// A log that is busy is no failure of the job: it comes back.
fn later(ended: Result<Outcome>) -> Result<Outcome> {
    match ended {
        Err(error) if error.code() == Code::Overloaded => Ok(Outcome::Snooze(error.wait().unwrap_or(BUSY))),
        ended => ended,
    }
}

/// Seals a proposal as void that nobody decided.
pub(crate) async fn expire_proposal(context: Context, job: ExpireProposal, _: Attempt) -> Result<Outcome> {
    later(vault::expire(&context.vault, &job).await)
}

/// Appends what other areas want sealed.
pub(crate) async fn drain_outbox(context: Context, job: DrainOutbox, _: Attempt) -> Result<Outcome> {
    later(outbox::drain(&context.vault, job.project).await.map(|()| Outcome::Done))
}

/// Digests what a project's audit log has gained.
pub(crate) async fn digest_audit(context: Context, job: DigestAudit, attempt: Attempt) -> Result<Outcome> {
    vault::digest_project(&context.core, job.project, &attempt.request).await?;
    Ok(Outcome::Done)
}

/// Has the audit logs digested that have gained something.
pub(crate) async fn digest(context: Context) -> Result<()> {
    vault::digest_all(&context.core).await
}

/// Publishes the heads of all logs in the meta-log, and has that cosigned. A witness that did not
/// answer at first costs that wait and no other; one that has seen what the database does not have
/// fails the task.
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

/// Makes a log anew from its entries, compares, and records the outcome. What it finds is no
/// failure of the job: once more would find it again.
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

/// Has every log checked.
pub(crate) async fn check(context: Context) -> Result<()> {
    fsck::check_all(&context.vault).await
}
