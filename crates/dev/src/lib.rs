//! `cargo dev`: Holdfast in process for tests, as processes for people, its tour and its
//! benchmarks.
//!
//! A test of behaviour starts a [`TestApp`]: the real API and worker in its own process, on a
//! database of its own. One that kills programs starts an [`Instance`], as `cargo dev`, its tour
//! and its benchmarks do: `api` and `worker` as processes.

pub mod app;
pub mod bench;
pub mod cli;
pub mod instance;
mod keep;
pub mod keys;
pub mod tour;

pub use app::{AppOptions, TestApp};
pub use instance::{Instance, InstanceOptions};
