//! Periodic tasks: run by the lease's holder, at most once per slot across workers and restarts.
//!
//! A task that fails, or dies with its worker, waits for its next slot; so what must not be missed enqueues jobs.

use std::{collections::HashMap, fmt, time::Duration};

use futures::future::BoxFuture;
use kernel::{Db, queue::schedule};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    metrics,
    timing::{Backoff, STATEMENT, Timing, bounded, jittered, rest},
};

/// A periodic task.
#[derive(Clone, Copy)]
pub struct Periodic {
    /// Its stable name in the `schedules` table; `<area>.<verb>`.
    pub name: &'static str,
    /// Its period. Slots are counted from 1970, so an hourly task runs shortly after each full hour.
    pub every: Duration,
    /// What it does. Stopped when it takes longer than its period, or than five minutes.
    pub run: fn(Context) -> BoxFuture<'static, kernel::Result<()>>,
}

impl fmt::Debug for Periodic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} every {:?}", self.name, self.every)
    }
}

/// What one run of a task may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Takes slots and runs their tasks until `stop`. What runs then is aborted.
pub(crate) async fn run(
    db: Db,
    epoch: i64,
    timing: Timing,
    tasks: Vec<Periodic>,
    context: Context,
    stop: CancellationToken,
) {
    let ids = context.core.ids.clone();
    let by_name: HashMap<&str, Periodic> = tasks.iter().map(|task| (task.name, *task)).collect();
    let names: Vec<&str> = tasks.iter().map(|task| task.name).collect();
    let slots: Vec<(&str, Duration)> = tasks.iter().map(|task| (task.name, task.every)).collect();
    let mut backoff = Backoff::new(ids.clone());
    let mut registered = false;
    let mut running = JoinSet::new();
    loop {
        let taken = async {
            if !registered {
                bounded(schedule::register(&db, &names)).await?;
                registered = true;
            }
            bounded(schedule::take_slots(&db, epoch, &slots)).await
        };
        let wait = match taken.await {
            Ok(taken) => {
                backoff.reset();
                for task in taken.iter().filter_map(|name| by_name.get(name.as_str())) {
                    running.spawn(run_once(db.clone(), *task, context.clone()));
                }
                jittered(&ids, timing.schedule)
            }
            Err(error) => {
                tracing::warn!(error = %metrics::chain(&error), "cannot look at the schedule; trying again");
                backoff.after_failure()
            }
        };
        while running.try_join_next().is_some() {}
        if !rest(wait, &stop).await {
            return;
        }
    }
}

async fn run_once(db: Db, task: Periodic, context: Context) {
    let limit = task.every.min(LONGEST);
    // A task of its own, so that a panic is an error like any other.
    let run = tokio_util::task::AbortOnDropHandle::new(tokio::spawn((task.run)(context)));
    let error = match tokio::time::timeout(limit, run).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(metrics::chain(&error)),
        Ok(Err(panic)) => Some(panic.to_string()),
        Err(_) => Some(format!("it was stopped: it may take {limit:?}")),
    };
    match &error {
        None => tracing::debug!(task = task.name, "periodic task done"),
        Some(error) => tracing::error!(task = task.name, error, "periodic task failed; its next slot runs it again"),
    }
    metrics::task_ended(task.name, error.is_none());
    // Only for people to read: nothing depends on it.
    if let Ok(Err(error)) = tokio::time::timeout(STATEMENT, schedule::finish(&db, task.name, error.as_deref())).await {
        tracing::warn!(task = task.name, error = %metrics::chain(&error), "cannot note how the periodic task ended");
    }
}
