//! The unit of work: what commits together, what follows the commit, and what cannot commit at all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod effects;
mod once;
mod scene;
mod signed;
