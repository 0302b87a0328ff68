//! How a log is appended to and read: what one request may cost the others, and what it costs Postgres.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod keys;
mod outbox;
mod reading;
mod scene;
mod statements;
mod turns;
