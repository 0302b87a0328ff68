//! How a log is appended to and read: what one request may cost the others, and what it costs Postgres.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod keys;
mod outbox;
mod reading;
mod scene;
mod statements;
mod turns;
