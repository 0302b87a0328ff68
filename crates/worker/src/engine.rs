//! The parts of a worker.

use std::sync::Arc;

use kernel::{Db, queue::Queue};

use crate::{context::Context, periodic::Periodic, registry::Registry, state::State, timing::Timing};

/// The parts of a worker.
#[derive(Debug)]
pub struct Engine {
    /// The context of jobs and tasks.
    pub context: Context,
    /// Connections for the queue's own statements, apart from those of jobs, which could otherwise
    /// starve a renewal.
    pub queue_db: Db,
    /// The jobs that it can run.
    pub registry: Arc<Registry>,
    /// Its periodic tasks.
    pub tasks: Vec<Periodic>,
    /// The number of jobs that run at a time.
    pub concurrency: Concurrency,
    /// Its intervals.
    pub timing: Timing,
    /// Its state.
    pub state: State,
}

/// The number of jobs of each queue that run at a time.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    /// For [`Queue::Default`].
    pub default: usize,
    /// For [`Queue::Effects`].
    pub effects: usize,
}

impl Concurrency {
    /// Returns the slots of a queue, at least one.
    pub(crate) fn of(self, queue: Queue) -> usize {
        let slots = match queue {
            Queue::Default => self.default,
            Queue::Effects => self.effects,
        };
        slots.max(1)
    }
}
