//! The base of every area: identifiers, time, errors, access to Postgres, callers, jobs, and the
//! audit log.
//!
//! The crate knows no area. The areas are in `vault` and `domain`; drivers of dependencies that may
//! be absent are in `adapters`.

pub mod answer;
pub mod audit;
pub mod batch;
pub mod caller;
pub mod checks;
pub mod clock;
pub mod core;
pub mod crypto;
pub mod db;
pub mod effect;
pub mod error;
pub mod housekeeping;
pub mod idempotency;
pub mod ids;
pub mod page;
pub mod patch;
pub mod ports;
pub mod queue;
pub mod schema;
pub mod signature;
pub mod text;
pub mod unit;
pub mod version;

pub use clock::Clock;
pub use core::Core;
pub use db::{Db, DbScope, MIGRATOR};
pub use error::{Code, Error, Result};
pub use ids::Ids;
pub use unit::Unit;
