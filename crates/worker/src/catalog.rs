//! The list of all jobs, and the list of all periodic tasks.

use std::time::Duration;

use kernel::queue::schedule::Schedule::{Daily, Every};

use crate::{jobs, periodic::Periodic, registry::Registry};

/// Returns every job that this worker can run. docs/adding-a-job.md says how to add one.
pub fn jobs() -> Registry {
    Registry::default()
        .on(jobs::intents::deliver)
        .on(jobs::agents::retire)
        .on(jobs::identity::send_mail)
        .on(jobs::vault::expire_proposal)
        .on(jobs::vault::drain_outbox)
        .on(jobs::vault::digest_audit)
        .on(jobs::vault::check_log)
}

/// Returns every periodic task that this worker runs. docs/adding-a-schedule.md says how to add
/// one.
pub fn tasks() -> Vec<Periodic> {
    let seconds = |seconds| Every(Duration::from_secs(seconds));
    vec![
        Periodic::new("intents.sweep", seconds(5), jobs::intents::sweep),
        Periodic::new("intents.prune", seconds(600), jobs::intents::prune),
        Periodic::new("identity.erase", seconds(600), jobs::identity::erase),
        Periodic::new("identity.prune", seconds(600), jobs::identity::prune),
        Periodic::new("signature.prune_nonces", seconds(60), jobs::housekeeping::prune_nonces),
        Periodic::new("idempotency.prune", seconds(600), jobs::housekeeping::prune_responses),
        Periodic::new("queue.prune_dead", seconds(3600), jobs::housekeeping::prune_dead_jobs),
        Periodic::new("vault.publish", seconds(60), jobs::vault::publish),
        Periodic::new("vault.digest", seconds(300), jobs::vault::digest),
        Periodic::new("vault.check", Daily(0), jobs::vault::check),
    ]
}
