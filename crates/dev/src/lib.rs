//! `cargo dev`: Holdfast in process for tests, as processes for people, the tour and benchmarks.
//!
//! A test of behavior starts a [`TestApp`]: the real API and worker in its own process, on a
//! database of its own. A test that kills programs starts an [`Instance`], with `api` and `worker`
//! as processes, as `cargo dev`, the tour and the benchmarks do.

pub mod app;
pub mod bench;
pub mod cli;
pub mod instance;
mod keep;
pub mod keys;
pub mod tour;

pub use app::{AppOptions, TestApp};
pub use instance::{Instance, InstanceOptions};
