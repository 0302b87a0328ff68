//! Digests, encodings, Ed25519 keys and the DIDs that name them, and encryption of what is stored.

mod cipher;
mod did;
mod key_ring;
mod public_key;
mod secrets;

use std::fmt::Write as _;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use sha2::{Digest, Sha256};

pub use cipher::Cipher;
pub use did::{Did, NotADid};
pub use key_ring::{KeyRing, NotAKeyRing, RingKind};
pub use public_key::{NotAPublicKey, PublicKey};
pub use secrets::{Mac, Place, Secrets, SecretsRing};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(false);

/// Decodes base64 of either alphabet, padded or not.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    GeneralPurpose::new(&alphabet, LENIENT).decode(text).ok()
}

/// Returns the SHA-256 digest of `bytes` (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Encodes bytes in base64 (RFC 4648), with its standard alphabet and padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Encodes bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
