//! Proofs from stored tiles, and from the entries or tiles that partial tiles are made of.

mod nodes;
mod proofs;
mod receipt;
mod tiles;

pub(crate) use nodes::{prove_seals, read_nodes};
pub use proofs::{PROOF_ERRORS, consistency, inclusion};
pub use receipt::{RECEIPT_ERRORS, receipt};
pub use tiles::{TILE_ERRORS, bundle, tile};
