//! Durable jobs: enqueued in the caller's transaction, run at least once by the worker.
//!
//! Adding a job: a payload type in `<area>/jobs.rs` that implements [`Job`]; its handler in
//! `worker/src/jobs/<area>.rs`; one line in `worker/src/catalog.rs`. docs/adding-a-job.md is the
//! recipe.
//!
//! ```text
//! enqueued ──claim──▶ running ──done──▶ (deleted)
//!     ▲                  │ ├──no attempt left──▶ dead ──retention──▶ (deleted)
//!     └──retry, snooze,──┘ │
//!        handed back       └──the worker vanished: its lease ends, and the job is due again
//! ```
//!
//! [`claim`] and [`settle`] are the worker's side. Leases are timed by Postgres' clock alone, since
//! the clocks of two workers differ.

mod claim;
mod job;
pub mod lease;
mod model;
mod new_job;
pub mod schedule;
mod store;

pub use claim::{claim, prune_dead, renew, settle, stats};
pub use job::{Job, Outcome, Queue, exponential};
pub use model::{Claim, Claimed, QueueStats, Settlement};
pub(crate) use new_job::NewJob;
