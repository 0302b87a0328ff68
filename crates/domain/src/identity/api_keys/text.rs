//! API keys: `hf_<env>_<id>_<secret><crc>`.
//!
//! The checksum lets a client, a scanner or the API itself tell a mistyped key from a wrong one
//! without asking Postgres. Only the SHA-256 of the secret is kept: it has 256 bits of entropy, so
//! a slow hash would add nothing.

use std::{fmt, str::FromStr};

use kernel::{Ids, crypto::sha256, ids::ApiKeyId};
use uuid::Uuid;

/// The hexadecimal digits of the CRC-32 (ISO-HDLC) of all text before it.
const CRC_DIGITS: usize = 8;

/// A key as its holder has it. Its text is [`ApiKey::reveal`]ed once; `Debug` masks the secret.
#[derive(Clone)]
pub struct ApiKey {
    id: ApiKeyId,
    environment: String,
    secret: String,
}

/// The error for text that is not an API key, without the reason: a reason would help a guesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API key is not complete, or was mistyped")]
pub struct NotAnApiKey;

impl ApiKey {
    /// Generates a key for `environment` (lower-case letters), whose name in the key tells people
    /// where it belongs.
    pub fn generate(ids: &Ids, environment: &str) -> Self {
        Self {
            id: ids.next(),
            environment: environment.to_owned(),
            secret: bs58::encode(ids.bytes::<32>()).into_string(),
        }
    }

    /// Returns the public half.
    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// Returns the digest that is stored.
    pub fn secret_hash(&self) -> [u8; 32] {
        sha256(self.secret.as_bytes())
    }

    /// Returns the part before the secret.
    pub fn prefix(&self) -> String {
        format!("hf_{}_{}", self.environment, self.id.uuid().simple())
    }

    /// Returns the whole key, to be shown once.
    pub fn reveal(&self) -> String {
        let body = format!("{}_{}", self.prefix(), self.secret);
        format!("{body}{:08x}", crc32fast::hash(body.as_bytes()))
    }
}

impl FromStr for ApiKey {
    type Err = NotAnApiKey;

    fn from_str(text: &str) -> Result<Self, NotAnApiKey> {
        let parse = || {
            let (body, crc) = text.split_at_checked(text.len().checked_sub(CRC_DIGITS)?)?;
            let mut parts = body.strip_prefix("hf_")?.split('_');
            let (environment, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
            let whole = parts.next().is_none()
                && crc == format!("{:08x}", crc32fast::hash(body.as_bytes()))
                && id.len() == 32
                && !secret.is_empty();
            let id = Uuid::try_parse(id).ok()?;
            whole.then(|| Self {
                id: id.into(),
                environment: environment.to_owned(),
                secret: secret.to_owned(),
            })
        };
        // No key is longer: a megabyte of text must not be hashed.
        if text.len() > 256 { Err(NotAnApiKey) } else { parse().ok_or(NotAnApiKey) }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_***", self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Clock;

    #[test]
    fn a_key_survives_its_text_and_any_slip_is_seen() {
        let key = ApiKey::generate(&Ids::seeded(Clock::system(), 3), "development");
        let text = key.reveal();
        let parsed: ApiKey = text.parse().unwrap();
        assert_eq!((parsed.id(), parsed.secret_hash()), (key.id(), key.secret_hash()));
        for at in 0..text.len() {
            let mut slipped = text.clone().into_bytes();
            slipped[at] = if slipped[at] == b'x' { b'y' } else { b'x' };
            assert!(
                String::from_utf8(slipped).unwrap().parse::<ApiKey>().is_err(),
                "slip at {at} was not seen"
            );
        }
        assert!(!format!("{key:?}").contains(&key.secret));
    }
}
