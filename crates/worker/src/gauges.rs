//! The worker's gauges, measured every few seconds.

use std::time::Duration;

use kernel::{Db, queue};
use metrics::gauge;
use tokio_util::sync::CancellationToken;
use vault::fsck;

use crate::{
    context::Context,
    timing::{bounded, rest},
};

/// Measures every `interval`, until `stop`, the number of the vault's logs that are damaged or
/// unchecked, and for how many seconds each witness is behind with the meta-log.
pub(crate) async fn watch_vault(context: Context, interval: Duration, stop: CancellationToken) {
    loop {
        gauge!("holdfast_vault_signs").set(f64::from(u8::from(context.vault.signs())));
        for witness in &context.witnesses {
            if let Ok(seconds) = bounded(vault::uncosigned_seconds(&context.vault, witness.as_ref())).await {
                gauge!("holdfast_vault_uncosigned_seconds", "witness" => witness.key().name().to_owned())
                    .set(seconds);
            }
        }
        if let Ok(counts) = bounded(fsck::check_counts(&context.core)).await {
            gauge!("holdfast_vault_logs_damaged").set(count(counts.damaged));
            gauge!("holdfast_vault_logs_unchecked").set(count(counts.unchecked));
        }
        if !rest(interval, &stop).await {
            return;
        }
    }
}

/// Measures the queues every `interval` until `stop`. The gauges of an empty queue are zero.
pub(crate) async fn watch_queues(db: Db, interval: Duration, stop: CancellationToken) {
    loop {
        if let Ok(stats) = bounded(queue::stats(&db)).await {
            for queue in queue::Queue::ALL {
                let found = stats.iter().find(|stats| stats.queue == queue.as_str());
                let show = |name: &'static str, value: Option<f64>| {
                    gauge!(name, "queue" => queue.as_str()).set(value.unwrap_or(0.0));
                };
                show("holdfast_jobs_due", found.map(|stats| count(stats.due)));
                show("holdfast_jobs_later", found.map(|stats| count(stats.later)));
                show("holdfast_jobs_dead", found.map(|stats| count(stats.dead)));
                show("holdfast_jobs_oldest_due_seconds", found.map(|stats| stats.oldest_seconds));
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
