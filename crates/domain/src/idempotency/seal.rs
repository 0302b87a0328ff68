//! Sealing kept answers, some of which hold secrets that are shown once: Postgres holds them only under a key that it does not have.

use std::fmt;

use crate::{
    Ids, crypto,
    error::{Error, Result},
    identity::access_token::TokenKeys,
};

/// ChaCha20-Poly1305 (RFC 8439) under keys derived from those that sign access tokens: the first seals, all of them open. Others, derived in the same
/// way, go into fingerprints: whoever has only the database cannot find out by guessing what a request said.
#[derive(Clone)]
pub struct Sealer {
    seals: Vec<[u8; 32]>,
    marks: Vec<[u8; 32]>,
}

impl Sealer {
    /// Of the same keys on every replica.
    pub fn new(keys: &TokenKeys) -> Self {
        Self { seals: keys.derive("holdfast idempotent answers"), marks: keys.derive("holdfast idempotent requests") }
    }

    /// The fingerprint that is kept of a request.
    pub(super) fn fingerprint(&self, request: &[u8; 32]) -> Result<[u8; 32]> {
        self.marks.first().map(|key| keyed(key, request)).ok_or_else(|| Error::internal("there is no key to mark with"))
    }

    /// Whether it is of that request, under any of the keys.
    pub(super) fn is_of(&self, fingerprint: &[u8], request: &[u8; 32]) -> bool {
        self.marks.iter().any(|key| keyed(key, request) == fingerprint)
    }

    /// Nonce and ciphertext. It opens only under the same `context`.
    pub(super) fn seal(&self, ids: &Ids, context: &[u8], text: &[u8]) -> Result<Vec<u8>> {
        let key = self.seals.first().ok_or_else(|| Error::internal("there is no key to seal with"))?;
        crypto::seal(ids, key, context, text)
    }

    /// What was sealed; nothing when its key is gone, or it was changed.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.seals.iter().find_map(|key| crypto::open(key, context, sealed))
    }
}

/// SHA-256 over key and digest: both of one length, so that no HMAC is needed.
fn keyed(key: &[u8; 32], request: &[u8; 32]) -> [u8; 32] {
    crypto::sha256(&[key.as_slice(), request].concat())
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    #[test]
    fn an_answer_opens_under_its_own_key_and_context_also_after_a_rotation() {
        let ids = Ids::seeded(Clock::system(), 5);
        let (old, new) = (TokenKeys::generate(&ids), TokenKeys::generate(&ids));
        let sealed = Sealer::new(&old).seal(&ids, b"context", b"hf_secret").unwrap();
        assert!(!sealed.windows(9).any(|window| window == b"hf_secret"));
        let rotated = Sealer::new(&format!("{},{}", new.reveal(), old.reveal()).parse().unwrap());
        assert_eq!(rotated.open(b"context", &sealed).as_deref(), Some(b"hf_secret".as_slice()));
        assert_eq!(rotated.open(b"another", &sealed), None);
        assert_eq!(Sealer::new(&new).open(b"context", &sealed), None);
        assert_eq!(rotated.open(b"context", b"short"), None);
        let mark = Sealer::new(&old).fingerprint(&[7; 32]).unwrap();
        assert!(rotated.is_of(&mark, &[7; 32]) && !rotated.is_of(&mark, &[8; 32]));
        assert!(mark != [7; 32] && !Sealer::new(&new).is_of(&mark, &[7; 32]));
    }
}
