//! Sealing kept answers, some of which hold secrets that are shown once: Postgres holds them only under a key that it does not have.

use std::fmt;

use crate::{
    Ids, crypto,
    error::{Error, Result},
    identity::access_token::TokenKeys,
};

/// ChaCha20-Poly1305 (RFC 8439) under keys derived from those that sign access tokens: the first seals, all of them open.
#[derive(Clone)]
pub struct Sealer(Vec<[u8; 32]>);

impl Sealer {
    /// Of the same keys on every replica.
    pub fn new(keys: &TokenKeys) -> Self {
        Self(keys.derive("holdfast idempotent answers"))
    }

    /// Nonce and ciphertext. It opens only under the same `context`.
    pub(super) fn seal(&self, ids: &Ids, context: &[u8], text: &[u8]) -> Result<Vec<u8>> {
        let key = self.0.first().ok_or_else(|| Error::internal("there is no key to seal with"))?;
        crypto::seal(ids, key, context, text)
    }

    /// What was sealed; nothing when its key is gone, or it was changed.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.iter().find_map(|key| crypto::open(key, context, sealed))
    }
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
    }
}
