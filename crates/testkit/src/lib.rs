//! The foundation of the tests of every crate: private Postgres, Valkey and NATS, a database for
//! each test, faults on demand, proxies, and a client that signs.
//!
//! A test that needs a database takes it from [`services::shared`]. A test that stops, freezes or
//! kills a service starts its own with [`Services::start`].
//!
//! Architecture invariant: nothing here outlives the process that started it, however that ends;
//! see the `process` module.

pub mod client;
pub mod met_codes;
pub mod pg_fault;
pub mod print;
mod process;
mod program;
pub mod proxy;
pub mod services;
pub mod sign;
mod test_core;
mod user;
mod wheels;
pub mod witness;

pub use client::Client;
pub use pg_fault::PgFault;
pub use program::Program;
pub use proxy::Proxy;
pub use services::{Services, TestDatabase};
pub use sign::{Identity, Signing};
pub use test_core::{project, test_core};
pub use witness::Witness;
