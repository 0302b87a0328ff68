//! What the worker is doing, for its health listener.

use std::sync::Arc;

use tokio::sync::watch;

use crate::metrics;

/// Where the worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Postgres does not answer.
    WithoutDatabase,
    /// Postgres has an older schema than this build needs; `api migrate` brings it up.
    WaitingForSchema,
    /// Another worker has the lease. Ready: a deploy that waited for more would wait for ever.
    StandingBy,
    /// It has the lease.
    Working,
    /// It was told to stop, and lets running jobs end.
    Draining,
}

impl Phase {
    /// The name in `/health/ready`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::WithoutDatabase => "without_database",
            Phase::WaitingForSchema => "waiting_for_schema",
            Phase::StandingBy => "standing_by",
            Phase::Working => "working",
            Phase::Draining => "draining",
        }
    }

    /// Whether it does, or could at once do, what a worker is for.
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
    /// A worker that has not reached Postgres yet.
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::WithoutDatabase)) }
    }

    /// Where the worker stands now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the worker stands there.
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
