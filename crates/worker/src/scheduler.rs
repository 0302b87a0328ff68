//! Running periodic tasks on the holder of the lease, at most once per slot across workers and
//! restarts.

use std::{collections::HashMap, time::Duration};

use kernel::{
    Db,
    queue::schedule::{self, Scheduled, Slot},
};
use tokio::task::JoinSet;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    backoff::Backoff,
    context::Context,
    error_text::chain,
    metrics,
    periodic::Periodic,
    timing::{STATEMENT, Timing, bounded, jittered, rest},
};

/// The longest time that a run of a task may take.
const RUN_TIMEOUT: Duration = Duration::from_secs(300);

/// Takes slots and runs their tasks until `stop`, which aborts running tasks.
pub(crate) async fn run(
    db: Db,
    epoch: i64,
    timing: Timing,
    tasks: Vec<Periodic>,
    context: Context,
    stop: CancellationToken,
) {
    let ids = context.core.ids.clone();
    let by_name: HashMap<&str, &Periodic> = tasks.iter().map(|task| (task.name, task)).collect();
    let scheduled: Vec<Scheduled<'_>> = tasks.iter().map(|task| (task.name, task.schedule)).collect();
    let mut backoff = Backoff::new(ids.clone());
    let mut registered = false;
    let mut running = JoinSet::new();
    loop {
        let taken = async {
            if !registered {
                bounded(schedule::register(&db, &scheduled)).await?;
                registered = true;
            }
            bounded(schedule::take_slots(&db, epoch, &scheduled)).await
        };
        let wait = match taken.await {
            Ok(taken) => {
                backoff.reset();
                for slot in taken {
                    if let Some(task) = by_name.get(slot.name.as_str()) {
                        running.spawn(run_once(db.clone(), slot, (*task).clone(), context.clone()));
                    }
                }
                jittered(&ids, timing.schedule)
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot look at the schedule; trying again");
                backoff.after_failure()
            }
        };
        while running.try_join_next().is_some() {}
        if !rest(wait, &stop).await {
            return;
        }
    }
}

async fn run_once(db: Db, slot: Slot, task: Periodic, context: Context) {
    let name = task.name;
    let limit = task.schedule.period().min(RUN_TIMEOUT);
    // In a task of its own, so that a panic is an error like any other.
    let run = AbortOnDropHandle::new(tokio::spawn((task.run)(context)));
    let error = match tokio::time::timeout(limit, run).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(chain(&error)),
        Ok(Err(panic)) => Some(panic.to_string()),
        Err(_) => Some(format!("it was stopped: it may take {limit:?}")),
    };
    match &error {
        None => tracing::debug!(task = name, "periodic task done"),
        Some(error) => {
            tracing::error!(task = name, error, "periodic task failed; its next slot runs it again");
        }
    }
    metrics::task_ended(name, error.is_none());
    // People read this; nothing depends on it.
    let finished = tokio::time::timeout(STATEMENT, schedule::finish(&db, &slot, error.as_deref())).await;
    if let Ok(Err(error)) = finished {
        tracing::warn!(task = name, error = %chain(&error), "cannot record how the periodic task ended");
    }
}
