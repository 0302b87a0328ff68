//! The worker's counters.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

/// Counts an ended run of a job.
pub(crate) fn job_ended(kind: &'static str, outcome: &'static str, took: Duration) {
    counter!("holdfast_jobs_total", "kind" => kind, "outcome" => outcome).increment(1);
    histogram!("holdfast_job_duration_seconds", "kind" => kind).record(took.as_secs_f64());
}

/// Counts a lost settlement: the claim was `stale`, or `expired` before it could be written.
pub(crate) fn settlement_lost(why: &'static str) {
    counter!("holdfast_job_settlements_lost_total", "why" => why).increment(1);
}

/// Counts an ended run of a periodic task.
pub(crate) fn task_ended(name: &'static str, well: bool) {
    let outcome = if well { "done" } else { "failed" };
    counter!("holdfast_periodic_tasks_total", "task" => name, "outcome" => outcome).increment(1);
}

/// Sets the gauge of the lease.
pub(crate) fn lease(held: bool) {
    gauge!("holdfast_worker_lease_held").set(f64::from(u8::from(held)));
}
