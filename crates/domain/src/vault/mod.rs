//! The vault: an append-only record of decisions, in Merkle trees that a stranger can check (RFC 6962; C2SP tlog-tiles, tlog-checkpoint, tlog-proof).

pub mod cosignature;
pub mod json;
pub mod note;
pub mod receipt;
pub mod tree;

/// A node of a Merkle tree: 32 bytes of SHA-256.
pub use tlog_tiles::Hash;
