//! Sealing kept answers, some of which hold secrets that are shown once: Postgres holds them only under a key that it does not have.

use std::fmt;

use crate::{
    Ids, crypto,
    error::{Error, Result},
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
    pub fn new(derive: impl Fn(&str) -> Vec<[u8; 32]>) -> Self {
        Self { seals: derive("holdfast idempotent answers"), marks: derive("holdfast idempotent requests") }
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
