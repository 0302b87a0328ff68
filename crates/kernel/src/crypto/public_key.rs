//! Ed25519 public keys.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};

use super::decode_base64;

/// An Ed25519 public key (RFC 8032) that is a point on the curve and not one of small order.
/// Base64url on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey(VerifyingKey);

/// The reason why some text or bytes are not a [`PublicKey`].
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

    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Returns true when `signature` (64 bytes) is this key's over `message`; refuses malleable
    /// encodings.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
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

impl utoipa::PartialSchema for PublicKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(44))
            .pattern(Some("^[A-Za-z0-9+/_-]{43}=?$"))
            .description(Some(
                "An Ed25519 public key: 32 bytes in base64; base64url without padding in answers",
            ))
            .examples(["lJZrfAjkBXdfjebMHEUI9usidAPhAlssitLXR3OYxbI"])
            .into()
    }
}

impl utoipa::ToSchema for PublicKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_off_the_curve_or_of_small_order_is_refused() {
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
