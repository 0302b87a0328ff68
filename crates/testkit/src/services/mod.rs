//! Private Postgres, Valkey and NATS on free loopback ports.
//!
//! Tests share one set per process ([`shared`]); it costs about a second, once. A test that needs
//! faults starts its own.

mod database;
mod kind;
mod options;
mod postgres;
mod service;
mod set;
mod site;

pub use database::TestDatabase;
pub use options::Options;
pub use postgres::Postgres;
pub use service::Service;
pub use set::{Services, shared};
