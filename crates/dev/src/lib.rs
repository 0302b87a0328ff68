//! Development and tests: private Postgres, Valkey and NATS, a database for each test, faults on demand, and Holdfast in process.
//!
//! A test asks [`services::shared`] for services that run as long as its process and takes a [`services::TestDatabase`] from
//! them; one that stops, freezes or kills a service starts its own with [`Services::start`]. Nothing here outlives the process that
//! started it: see the `process` module.

pub mod app;
pub mod bench;
pub mod cli;
pub mod client;
pub mod instance;
mod keep;
mod process;
mod program;
pub mod say;
pub mod services;
pub mod sign;
pub mod tour;
mod user;
mod wheels;

pub use app::{AppOptions, TestApp};
pub use client::Client;
pub use instance::{Instance, InstanceOptions};
pub use program::Program;
pub use services::{Services, TestDatabase};
pub use sign::{Identity, Signing};
