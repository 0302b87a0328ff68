//! Appending to a log and reading it: what one request may cost the others, what it costs Postgres,
//! and what a replay answers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod held;
mod keys;
mod lost_commit;
mod outbox;
mod reading;
mod replay;
mod scene;
mod statements;
