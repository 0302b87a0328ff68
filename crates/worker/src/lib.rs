//! The worker: runs jobs and periodic tasks.
//!
//! Any number may run; one holds the lease and works, the others stand by. Adding a job: docs/adding-a-job.md.
//!
//! - [`registry`] lists what it can run; `jobs/<area>.rs` holds the handlers.
//! - [`engine`] is its life, `backend/` the queue under apalis' worker, `run.rs` what surrounds each run of a job.
//! - `serve.rs` wires it together. `lease.rs` decides which worker works; [`schedule`] runs periodic tasks.

mod backend;
mod config;
pub mod context;
pub mod engine;
mod health;
mod jobs;
mod lease;
mod metrics;
pub mod registry;
mod run;
pub mod schedule;
mod schema;
mod serve;
pub mod state;
pub mod timing;

pub use config::Config;
pub use serve::{main, run, run_with};
