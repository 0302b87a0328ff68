//! Handlers of jobs and periodic tasks, one file per area. Each only calls a use case of `domain`.

pub(crate) mod agents;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod intents;
pub(crate) mod queue;
pub(crate) mod signature;
pub(crate) mod vault;
