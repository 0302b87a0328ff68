//! The worker's life: it waits for the schema, stands by, works while it has the lease, drains, and
//! begins again.

use tokio_util::sync::CancellationToken;

use crate::{
    engine::Engine,
    lease::{Candidate, End},
    schema,
    state::Phase,
    term::Term,
};

impl Engine {
    /// Works until `stop`, then lets running jobs end and returns. That takes at most
    /// `timing.drain`, `timing.flush` and nine seconds for a Postgres that does not answer. No
    /// fault of Postgres ends it.
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
                // The next worker does not have to wait for jobs that still run: their claims fence
                // them.
                lease.release().await;
            }
            term.drain().await;
        }
        self.state.enter(Phase::Draining);
    }
}
