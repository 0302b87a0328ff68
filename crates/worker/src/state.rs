//! The worker's state, for its health listener.

use std::sync::Arc;

use tokio::sync::watch;

use crate::metrics;

/// The phase that the worker is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Postgres does not answer.
    WithoutDatabase,
    /// The schema is older than this build; `api migrate` updates it.
    WaitingForSchema,
    /// Another worker has the lease. This counts as ready, since a deploy that waited for the lease
    /// would never end.
    StandingBy,
    /// It has the lease.
    Working,
    /// It was told to stop, and lets running jobs end.
    Draining,
}

impl Phase {
    /// Returns the name in `/health/ready`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::WithoutDatabase => "without_database",
            Phase::WaitingForSchema => "waiting_for_schema",
            Phase::StandingBy => "standing_by",
            Phase::Working => "working",
            Phase::Draining => "draining",
        }
    }

    /// Returns true when the worker works, or could take over at once.
    pub fn is_ready(self) -> bool {
        matches!(self, Phase::StandingBy | Phase::Working)
    }
}

/// The current [`Phase`]. Cloning shares it.
#[derive(Debug, Clone)]
pub struct State {
    phase: Arc<watch::Sender<Phase>>,
}

impl State {
    /// Creates the state of a worker that has not reached Postgres yet.
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::WithoutDatabase)) }
    }

    /// Returns the current phase.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the worker is in `phase`.
    pub async fn reached(&self, phase: Phase) {
        // The sender lives as long as `self`.
        let _ = self.phase.subscribe().wait_for(|now| *now == phase).await;
    }

    pub(crate) fn enter(&self, phase: Phase) {
        metrics::lease(phase == Phase::Working);
        self.phase.send_if_modified(|now| std::mem::replace(now, phase) != phase);
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
