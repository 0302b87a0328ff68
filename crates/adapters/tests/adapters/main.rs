//! The adapters against real services: running, absent, frozen, killed and restarted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod faults;
mod rates;
mod support;
mod wakes;
mod webhooks;
mod witnesses;
