//! The worker's life: wait for the schema, stand by, work while it has the lease, drain, and again.

use tokio_util::sync::CancellationToken;

use crate::{
    engine::Engine,
    lease::{Candidate, End},
    schema,
    state::Phase,
    term::Term,
};

impl Engine {
    /// Works until `stop`, then lets running jobs end, and returns: after `timing.drain` and
    /// `timing.flush` at the latest, and the nine seconds that a Postgres which does not answer is
    /// given. Nothing that happens to Postgres ends it.
    pub async fn run(self, stop: CancellationToken) {
        let ids = self.context.core.ids.clone();
        if !schema::wait(&self.queue_db, &ids, &self.state, &stop).await {
            return;
        }
        let holder = format!("worker-{:016x}", u64::from_le_bytes(ids.bytes()));
        let (db, timing, state) = (self.queue_db.clone(), self.timing, self.state.clone());
        let candidate = Candidate { db, ids, timing, holder, state };
        while let Some(lease) = candidate.wait(&stop).await {
            let term = Term::start(&self, lease.epoch);
            let end = lease.keep(&stop).await;
            self.state.enter(Phase::Draining);
            term.stop_claiming().await;
            if end == End::Stopping {
                // The next worker need not wait for our running jobs: those are fenced by their own
                // claims.
                lease.release().await;
            }
            term.drain().await;
        }
        self.state.enter(Phase::Draining);
    }
}
