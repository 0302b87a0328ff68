//! The worker: runs jobs and periodic tasks.
//!
//! Any number of workers may run. One holds the lease and works; the others stand by.
//!
//! - [`catalog`] lists what it can run; `jobs/<area>.rs` holds the handlers.
//! - [`engine`] is what it is made of and `life.rs` its life; `backend/` is the queue under apalis'
//!   worker, `run/` what surrounds each run of a job, `scheduler.rs` runs periodic tasks.
//! - `serve.rs` wires it together. `lease.rs` decides which worker works.

mod backend;
mod backoff;
pub mod catalog;
mod config;
pub mod context;
pub mod engine;
mod error_text;
mod gauges;
mod health;
mod jobs;
mod lease;
mod life;
mod metrics;
pub mod periodic;
pub mod registry;
mod run;
mod scheduler;
mod schema;
mod serve;
pub mod state;
mod term;
pub mod timing;

pub use config::Config;
pub use serve::{main, run, run_with};
