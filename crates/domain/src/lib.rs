//! The areas of Holdfast: rules, use cases and their SQL.
//!
//! The crate knows Postgres and nothing else of the outside world: no HTTP framework, no Redis,
//! NATS, Qdrant, S3 or SMTP. A dependency that may fail or be absent is a trait of its area or of
//! `kernel::ports`, implemented by the `adapters` crate.

pub mod agents;
pub mod audit;
pub mod identity;
pub mod intents;
pub mod mail;
