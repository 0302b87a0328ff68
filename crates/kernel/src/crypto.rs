//! Digests, sealing, Ed25519 keys and the DIDs that name them.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    },
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};

use crate::{Error, Ids};

const NONCE: usize = 12;
/// The multicodec prefix of an Ed25519 public key, as a varint.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(false);

/// Decodes base64 of either alphabet, padded or not.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    GeneralPurpose::new(&alphabet, LENIENT).decode(text).ok()
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes in base64 (RFC 4648), with its standard alphabet and padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Encrypts `text` by ChaCha20-Poly1305 (RFC 8439): nonce and ciphertext. It [`open`]s only under the same `context`.
///
/// # Errors
/// None that is known.
pub fn seal(ids: &Ids, key: &[u8; 32], context: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
    let nonce: [u8; NONCE] = ids.bytes();
    let sealed = ChaCha20Poly1305::new(key.into())
        .encrypt(Nonce::from_slice(&nonce), Payload { msg: text, aad: context })
        .map_err(|_| Error::internal("cannot encrypt"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// What was [`seal`]ed; nothing when key or context is another, or it was changed.
pub fn open(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_at_checked(NONCE)?;
    ChaCha20Poly1305::new(key.into()).decrypt(Nonce::from_slice(nonce), Payload { msg: text, aad: context }).ok()
}

/// An Ed25519 public key (RFC 8032) that is a point on the curve and not one of small order. Base64url on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey(VerifyingKey);

/// Why a text or some bytes are not a [`PublicKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAPublicKey {
    /// Not base64, or not of 32 bytes.
    #[error("must be the 32 bytes of an Ed25519 public key in base64")]
    Encoding,
    /// The bytes name no point, or one for which anybody can make signatures.
    #[error("is not a usable point on the Ed25519 curve")]
    Point,
}

impl PublicKey {
    /// # Errors
    /// [`NotAPublicKey`] says which rule the bytes break.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAPublicKey> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| NotAPublicKey::Encoding)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| NotAPublicKey::Point)?;
        if key.is_weak() { Err(NotAPublicKey::Point) } else { Ok(Self(key)) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether `signature` (64 bytes) is this key's over `message`; malleable encodings are refused.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = NotAPublicKey;

    fn from_str(text: &str) -> Result<Self, NotAPublicKey> {
        Self::from_bytes(&decode_base64(text).ok_or(NotAPublicKey::Encoding)?)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NotAPublicKey;

    fn try_from(text: String) -> Result<Self, NotAPublicKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A decentralized identifier (W3C DID 1.0, section 3.1), without path, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(into = "String", try_from = "String")]
#[sqlx(transparent)]
pub struct Did(String);

/// A text that is not a [`Did`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a DID such as did:key:z6Mk… or did:web:example.com, of at most 512 characters")]
pub struct NotADid;

impl Did {
    /// The longest DID taken, in characters.
    pub const MAX_LENGTH: usize = 512;

    /// The `did:key` of an Ed25519 key.
    pub fn key(key: &PublicKey) -> Self {
        let mut bytes = ED25519_PUB.to_vec();
        bytes.extend_from_slice(key.as_bytes());
        Self(format!("did:key:z{}", bs58::encode(bytes).into_string()))
    }

    /// The DID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `key` may answer for this DID: a `did:key` names its only key; of other methods nothing is known here.
    pub fn admits(&self, key: &PublicKey) -> bool {
        !self.0.starts_with("did:key:") || *self == Self::key(key)
    }
}

impl FromStr for Did {
    type Err = NotADid;

    fn from_str(text: &str) -> Result<Self, NotADid> {
        let (method, id) = text.strip_prefix("did:").and_then(|rest| rest.split_once(':')).ok_or(NotADid)?;
        let method_is_sound =
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let id_is_sound = !id.is_empty() && !id.ends_with(':') && is_method_specific_id(id.as_bytes());
        if method_is_sound && id_is_sound && text.len() <= Self::MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotADid)
        }
    }
}

/// `idchar` of the DID grammar: a percent sign starts two hexadecimal digits.
fn is_method_specific_id(id: &[u8]) -> bool {
    match id {
        [] => true,
        [b'%', high, low, rest @ ..] => {
            high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && is_method_specific_id(rest)
        }
        [b'.' | b'-' | b'_' | b':', rest @ ..] => is_method_specific_id(rest),
        [byte, rest @ ..] => byte.is_ascii_alphanumeric() && is_method_specific_id(rest),
    }
}

impl TryFrom<String> for Did {
    type Error = NotADid;

    fn try_from(text: String) -> Result<Self, NotADid> {
        text.parse()
    }
}

impl From<Did> for String {
    fn from(did: Did) -> Self {
        did.0
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl utoipa::PartialSchema for Did {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})$"))
            .max_length(Some(Self::MAX_LENGTH))
            .description(Some("A decentralized identifier (W3C DID 1.0)"))
            .examples([EXAMPLE_DID])
            .into()
    }
}

impl utoipa::ToSchema for Did {}

impl utoipa::PartialSchema for PublicKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(44))
            .pattern(Some("^[A-Za-z0-9+/_-]{43}=?$"))
            .description(Some("An Ed25519 public key: 32 bytes in base64; base64url without padding in answers"))
            .examples(["lJZrfAjkBXdfjebMHEUI9usidAPhAlssitLXR3OYxbI"])
            .into()
    }
}

impl utoipa::ToSchema for PublicKey {}

/// The `did:key` method specification's Ed25519 example.
const EXAMPLE_DID: &str = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(did: &str) -> PublicKey {
        let bytes = bs58::decode(did.trim_start_matches("did:key:z")).into_vec().unwrap();
        PublicKey::from_bytes(&bytes[2..]).unwrap()
    }

    #[test]
    fn a_did_key_names_its_own_key_only() {
        let did: Did = EXAMPLE_DID.parse().unwrap();
        let key = key_of(EXAMPLE_DID);
        assert_eq!(Did::key(&key), did);
        assert!(did.admits(&key));
        let other = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert!(!did.admits(&PublicKey::from_bytes(other.as_bytes()).unwrap()));
    }

    #[test]
    fn what_is_not_a_did() {
        for bad in [
            "",
            "did:",
            "did:key:",
            "did::x",
            "DID:key:x",
            "did:Key:x",
            "did:web:a b",
            "did:web:a%2",
            "did:web:a:",
            "did:web:a#k",
        ] {
            assert!(bad.parse::<Did>().is_err(), "{bad:?} was taken");
        }
        assert!(format!("did:web:{}", "a".repeat(600)).parse::<Did>().is_err());
        for good in ["did:web:example.com%3A8080:agents:7", "did:example:a.b-c_d"] {
            assert!(good.parse::<Did>().is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn keys_off_the_curve_or_of_small_order_are_refused() {
        let mut off = [0xff; 32];
        off[0] = 2;
        let identity = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        for bytes in [off, identity, [0; 32]] {
            assert_eq!(PublicKey::from_bytes(&bytes), Err(NotAPublicKey::Point));
        }
        assert_eq!("AAAA".parse::<PublicKey>(), Err(NotAPublicKey::Encoding));
    }
}
