//! Appending to a log and reading it: the cost of one request for the others, the cost for
//! Postgres, and the answer of a replay.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod held;
mod keys;
mod lost_commit;
mod outbox;
mod reading;
mod replay;
mod scene;
mod statements;
