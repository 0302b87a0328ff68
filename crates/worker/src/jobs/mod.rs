//! Handlers of jobs and periodic tasks, one file per area. Each only calls a use case.

pub(crate) mod agents;
mod batches;
pub(crate) mod housekeeping;
pub(crate) mod identity;
pub(crate) mod intents;
pub(crate) mod vault;
