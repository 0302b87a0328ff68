//! What Holdfast knows and does: rules, use cases and the only SQL.
//!
//! Knows Postgres and nothing else of the outside world: no HTTP framework, no Redis, NATS, Qdrant, S3 or SMTP.
//! What may fail or be absent is a trait in [`ports`], implemented by the `adapters` crate.
//!
//! Adding an area, step by step: a migration `migrations/<time>_<area>_<what>.sql`; `<area>/mod.rs` with its types and
//! rules; `<area>/store.rs` with its SQL; one file per use case, named by its verb, that owns its transaction; `<area>/jobs.rs`
//! for the payloads it enqueues.

pub mod agents;
pub mod audit;
pub mod batch;
pub mod check;
pub mod clock;
pub mod core;
pub mod crypto;
pub mod db;
pub mod error;
pub mod idempotency;
pub mod identity;
pub mod ids;
pub mod intents;
pub mod page;
pub mod ports;
pub mod queue;
pub mod schema;
pub mod signature;
pub mod text;
pub mod vault;
pub mod version;

pub use clock::Clock;
pub use core::Core;
pub use db::{Caller, Db, MIGRATOR};
pub use error::{Code, Error, Result};
pub use ids::Ids;
