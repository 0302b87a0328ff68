//! HTTP message signatures (RFC 9421) by agents: the parts that a request must carry, and the rule
//! that nobody sends it twice.
//!
//! The order is that of trust: [`Signature::parse`] reads the headers, [`Signature::check`] refuses
//! a signature that covers too little or is stale, the caller looks the key up, and
//! [`Signature::verify`] makes a [`Proof`]. The unit of work consumes the proof's nonce in its own
//! transaction, so that a replay and its original cannot both commit.
//!
//! `sfv` parses and writes the structured fields. The signature base is built here, because
//! Holdfast stores it: the recipient of an intent verifies the sender with it.

mod base;
mod digest;
mod nonce;
mod store;
mod verify;

pub use base::{Headers, Origin, RequestParts};
pub use digest::{check_content_digest, digest_missing};
pub use nonce::{consume_nonce, consume_nonces, prune_nonces};
pub use verify::{MAX_SKEW, Proof, Signature};
