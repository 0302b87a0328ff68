//! Cosignatures of witnesses (C2SP tlog-cosignature, its version 1 by Ed25519): an independent
//! party's statement of a log's tree, and of when it saw it.
//!
//! A witness cosigns a checkpoint only after a proof that it continues the last one it saw. So its
//! line on a checkpoint shows that the log did not present another history to others.

mod lines;
mod verify;
mod witness_key;

pub use lines::{append, body, lines};
pub use verify::{Cosignature, NotCosigned};
pub use witness_key::{NotAWitnessKey, WitnessKey};

#[cfg(test)]
mod tests;
