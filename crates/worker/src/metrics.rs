//! The worker's metrics, and the text of errors.

use std::{error::Error, fmt::Write, time::Duration};

use kernel::{Db, queue};
use metrics::{counter, gauge, histogram};
use tokio_util::sync::CancellationToken;
use vault::{self, fsck};

use crate::{
    context::Context,
    timing::{bounded, rest},
};

/// A run of a job ended.
pub(crate) fn job_ended(kind: &'static str, outcome: &'static str, took: Duration) {
    counter!("holdfast_jobs_total", "kind" => kind, "outcome" => outcome).increment(1);
    histogram!("holdfast_job_duration_seconds", "kind" => kind).record(took.as_secs_f64());
}

/// A settlement did not take effect: the claim was `stale`, or `expired` before it could be written.
pub(crate) fn settlement_lost(why: &'static str) {
    counter!("holdfast_job_settlements_lost_total", "why" => why).increment(1);
}

/// A periodic task ended.
pub(crate) fn task_ended(name: &'static str, well: bool) {
    let outcome = if well { "done" } else { "failed" };
    counter!("holdfast_periodic_tasks_total", "task" => name, "outcome" => outcome).increment(1);
}

/// Whether this worker has the lease.
pub(crate) fn lease(held: bool) {
    gauge!("holdfast_worker_lease_held").set(f64::from(u8::from(held)));
}

/// Shows every `interval`, until `stop`, how the vault's logs stand by their last checks, and how the meta-log stands with its witnesses.
pub(crate) async fn watch_vault(context: Context, interval: Duration, stop: CancellationToken) {
    loop {
        gauge!("holdfast_vault_signs").set(f64::from(u8::from(context.vault.signs())));
        for witness in &context.witnesses {
            if let Ok(seconds) = bounded(vault::uncosigned_seconds(&context.vault, witness.as_ref())).await {
                gauge!("holdfast_vault_uncosigned_seconds", "witness" => witness.key().name().to_owned()).set(seconds);
            }
        }
        if let Ok(standing) = bounded(fsck::standing(&context.core)).await {
            gauge!("holdfast_vault_logs_damaged").set(count(standing.damaged));
            gauge!("holdfast_vault_logs_unchecked").set(count(standing.unchecked));
        }
        if !rest(interval, &stop).await {
            return;
        }
    }
}

/// Measures the queues every `interval` until `stop`. One that has no jobs any more is set to zero.
pub(crate) async fn watch_queues(db: Db, interval: Duration, stop: CancellationToken) {
    loop {
        if let Ok(stats) = bounded(queue::stats(&db)).await {
            for queue in queue::Queue::ALL {
                let standing = stats.iter().find(|stats| stats.queue == queue.as_str());
                let show = |name: &'static str, value: Option<f64>| {
                    gauge!(name, "queue" => queue.as_str()).set(value.unwrap_or(0.0));
                };
                show("holdfast_jobs_due", standing.map(|stats| count(stats.due)));
                show("holdfast_jobs_later", standing.map(|stats| count(stats.later)));
                show("holdfast_jobs_dead", standing.map(|stats| count(stats.dead)));
                show("holdfast_jobs_oldest_due_seconds", standing.map(|stats| stats.oldest_seconds));
            }
        }
        if !rest(interval, &stop).await {
            return;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 2^52")]
fn count(number: i64) -> f64 {
    number as f64
}

/// An error's text and those of its sources.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // A text that repeats its source's says nothing new.
        let next = error.to_string();
        if !text.contains(&next) {
            let _ = write!(text, ": {next}");
        }
        source = error.source();
    }
    text
}
