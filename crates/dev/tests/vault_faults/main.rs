//! The vault's promise while everything breaks: no acknowledged seal is lost, indexes are
//! contiguous, and each size has one root.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and these count"
)]

mod check;
mod crashes;
mod lanes;
mod outages;
mod statements;
mod writers;
