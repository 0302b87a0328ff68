//! Appending for callers: requests that queue while a batch commits go into the next one, under one
//! lock and in one commit.

mod appender;
mod batch;

pub use appender::{APPEND_ERRORS, APPEND_ONE_ERRORS, Appender};
