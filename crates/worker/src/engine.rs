//! What a worker is made of.

use std::sync::Arc;

use kernel::{Db, queue::Queue};

use crate::{context::Context, periodic::Periodic, registry::Registry, state::State, timing::Timing};

/// Everything a worker is made of.
#[derive(Debug)]
pub struct Engine {
    /// What jobs and tasks receive.
    pub context: Context,
    /// Connections for the queue's own statements, apart from those of the jobs: these must not be
    /// able to starve a renewal.
    pub queue_db: Db,
    /// Which jobs it can run.
    pub registry: Arc<Registry>,
    /// Which tasks it runs periodically.
    pub tasks: Vec<Periodic>,
    /// How many jobs run at a time.
    pub concurrency: Concurrency,
    /// Its intervals.
    pub timing: Timing,
    /// What it is doing.
    pub state: State,
}

/// How many jobs of each queue run at a time.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    /// Of [`Queue::Default`].
    pub default: usize,
    /// Of [`Queue::Effects`].
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
