//! Cosignatures of witnesses (C2SP tlog-cosignature, its version 1 by Ed25519): what an independent
//! party saw a log's tree to be, and when.
//!
//! A witness cosigns a checkpoint only after a proof that it continues the last one it saw. So
//! whoever finds its line on a checkpoint knows that the log did not show others another history.

mod lines;
mod verify;
mod witness_key;

pub use lines::{append, body, lines};
pub use verify::{Cosignature, NotCosigned};
pub use witness_key::{NotAWitnessKey, WitnessKey};

#[cfg(test)]
mod tests;
