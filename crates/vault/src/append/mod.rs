//! Appending for callers: what queues while a batch commits goes into the next one, under one lock
//! and in one commit.

mod appender;
mod batch;

pub use appender::{APPEND_ERRORS, APPEND_ONE_ERRORS, Appender};
