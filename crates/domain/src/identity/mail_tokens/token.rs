//! The text of a mailed token.

use kernel::{Ids, crypto::sha256};

const PREFIX: &str = "hfm_";
const MAX_LENGTH: usize = 64;

/// Generates a token: 256 bits that stand in its mail alone.
pub(super) fn generate(ids: &Ids) -> String {
    format!("{PREFIX}{}", bs58::encode(ids.bytes::<32>()).into_string())
}

/// Returns the digest that identifies a token's row; `None` for text that cannot be a token.
pub(in crate::identity) fn token_digest(text: &str) -> Option<[u8; 32]> {
    (text.len() <= MAX_LENGTH && text.starts_with(PREFIX)).then(|| sha256(text.as_bytes()))
}
