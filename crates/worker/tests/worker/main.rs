//! The worker's promises, each against a real Postgres.

mod enqueue;
mod failures;
mod fencing;
mod lease;
mod outage;
mod running;
mod schedule;
mod shutdown;
mod support;
