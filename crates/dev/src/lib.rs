//! Development and tests: private Postgres, Valkey and NATS, a database for each test, faults on demand, and Holdfast in process.
//!
//! A test of behaviour starts a [`TestApp`]: the real API and worker in its own process, on a database of its own. One that kills
//! programs starts an [`Instance`], as `cargo dev`, its tour and its benchmarks do: `api` and `worker` as processes. One that needs a
//! database only takes it from [`services::shared`]; one that stops, freezes or kills a service starts its own with
//! [`Services::start`].
//!
//! Architecture invariant: nothing here outlives the process that started it, however that ends; see the `process` module.

pub mod app;
pub mod bench;
pub mod cli;
pub mod client;
pub mod instance;
mod keep;
pub mod keys;
pub mod pg_fault;
mod process;
mod program;
pub mod proxy;
mod quiet;
pub mod say;
pub mod services;
pub mod sign;
pub mod tour;
mod user;
mod wheels;
pub mod witness;

pub use app::{AppOptions, TestApp};
pub use client::Client;
pub use instance::{Instance, InstanceOptions};
pub use pg_fault::PgFault;
pub use program::Program;
pub use proxy::Proxy;
pub use quiet::core;
pub use services::{Services, TestDatabase};
pub use sign::{Identity, Signing};
pub use witness::Witness;
