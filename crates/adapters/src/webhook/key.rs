//! The key that signs outgoing deliveries, and its texts: `whsk_…` is secret, `whpk_…` is
//! published.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use kernel::{Ids, crypto::decode_base64};

const SECRET: &str = "whsk_";
const PUBLIC: &str = "whpk_";

/// An Ed25519 key pair (RFC 8032).
#[derive(Clone)]
pub struct WebhookKey(SigningKey);

/// A text that is not a signing key. The error does not repeat it, since it may be nearly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `whsk_` and the base64 of an Ed25519 key: its 32 secret bytes, which its 32 public bytes may \
     follow"
)]
pub struct NotAWebhookKey;

impl WebhookKey {
    /// Generates a new key.
    pub fn generate(ids: &Ids) -> Self {
        Self(SigningKey::from_bytes(&ids.bytes()))
    }

    /// Returns the key that recipients verify with: `whpk_` and the base64 of the 32 public bytes.
    pub fn public(&self) -> String {
        format!("{PUBLIC}{}", STANDARD.encode(self.0.verifying_key().as_bytes()))
    }

    /// Returns the secret text, as [`FromStr`] reads it: `whsk_` and the base64 of secret and
    /// public bytes.
    pub fn reveal(&self) -> String {
        format!("{SECRET}{}", STANDARD.encode(self.0.to_keypair_bytes()))
    }

    /// Returns the value of `webhook-signature` over `id.timestamp.body`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut message = format!("{id}.{timestamp}.").into_bytes();
        message.extend_from_slice(body);
        format!("v1a,{}", STANDARD.encode(self.0.sign(&message).to_bytes()))
    }
}

impl FromStr for WebhookKey {
    type Err = NotAWebhookKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.strip_prefix(SECRET).and_then(decode_base64).ok_or(NotAWebhookKey)?;
        let (secret, public) = bytes.split_first_chunk().ok_or(NotAWebhookKey)?;
        let key = SigningKey::from_bytes(secret);
        if public.is_empty() || public == key.verifying_key().as_bytes() {
            Ok(Self(key))
        } else {
            Err(NotAWebhookKey)
        }
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookKey({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, VerifyingKey};
    use kernel::Clock;

    use super::*;

    fn key() -> WebhookKey {
        WebhookKey::generate(&Ids::seeded(Clock::system(), 1))
    }

    #[test]
    fn a_key_reads_as_it_was_written_with_or_without_its_public_half() {
        let key = key();
        let text = key.reveal();
        assert_eq!(text.parse::<WebhookKey>().unwrap().public(), key.public());
        let seed = format!("whsk_{}", STANDARD.encode(&decode_base64(&text[5..]).unwrap()[..32]));
        assert_eq!(seed.parse::<WebhookKey>().unwrap().reveal(), text);
        assert!(!format!("{key:?}").contains(&seed[5..20]));
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let other_half = format!("whsk_{}", STANDARD.encode([7_u8; 64]));
        let short = format!("whsk_{}", STANDARD.encode([7_u8; 31]));
        let long = format!("whsk_{}", STANDARD.encode([7_u8; 65]));
        let public = key().public();
        for wrong in ["", "whsk_", "whsk_!", &public, &other_half, &short, &long, &key().reveal()[5..]] {
            assert!(wrong.parse::<WebhookKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_signature_is_over_identifier_time_and_body() {
        let key = key();
        let value = key.sign("dlv_1", 1_700_000_000, b"{}");
        let signature =
            Signature::from_slice(&decode_base64(value.strip_prefix("v1a,").unwrap()).unwrap()).unwrap();
        let public = decode_base64(key.public().strip_prefix("whpk_").unwrap()).unwrap();
        let verifier = VerifyingKey::from_bytes(&public.try_into().unwrap()).unwrap();
        assert!(verifier.verify_strict(b"dlv_1.1700000000.{}", &signature).is_ok());
        assert!(verifier.verify_strict(b"dlv_1.1700000000.{ }", &signature).is_err());
    }
}
