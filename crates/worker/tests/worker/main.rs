//! The worker's promises, each against a real Postgres.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod enqueue;
mod failures;
mod fencing;
mod lease;
mod outage;
mod process;
mod running;
mod schedule;
mod shutdown;
mod support;
