//! Decentralized identifiers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};

use super::PublicKey;

/// The multicodec prefix of an Ed25519 public key, as a varint.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];

/// A decentralized identifier (W3C DID 1.0, section 3.1), without path, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(into = "String", try_from = "String")]
#[sqlx(transparent)]
pub struct Did(String);

/// The error for text that is not a [`Did`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a DID such as did:key:z6Mk… or did:web:example.com, of at most 512 characters")]
pub struct NotADid;

impl Did {
    /// The length of the longest DID taken, in characters.
    pub const MAX_LENGTH: usize = 512;
    /// The regular expression that a DID matches.
    pub const PATTERN: &'static str =
        "^did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})$";

    /// Returns the `did:key` of an Ed25519 key.
    pub fn key(key: &PublicKey) -> Self {
        let mut bytes = ED25519_PUB.to_vec();
        bytes.extend_from_slice(key.as_bytes());
        Self(format!("did:key:z{}", bs58::encode(bytes).into_string()))
    }

    /// Returns the DID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true when `key` may answer for this DID. A `did:key` names its only key; other
    /// methods, of whose keys nothing is known here, admit any.
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
            .pattern(Some(Self::PATTERN))
            .max_length(Some(Self::MAX_LENGTH))
            .description(Some("A decentralized identifier (W3C DID 1.0)"))
            .examples([EXAMPLE_DID])
            .into()
    }
}

impl utoipa::ToSchema for Did {}

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
    fn a_malformed_did_is_refused() {
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
}
