//! Authenticated encryption under a rotating key: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha),
//! whose nonces of 192 bits may be random.
//!
//! A ciphertext is `version ‖ key id ‖ nonce ‖ ciphertext and tag`, of 1, 4, 24 and the rest of the
//! bytes. The key id says which key of the ring decrypts it, so that a rotation needs no trial
//! decryption.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;

use super::key_ring::{KeyRing, RingKind};
use crate::{Error, Ids};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;

type Key = [u8; 32];

/// Encrypts under the newest key of a ring and decrypts under any of them, for one purpose.
#[derive(Clone)]
pub struct Cipher(Vec<(KeyId, Key)>);

type KeyId = [u8; KEY_ID];

impl Cipher {
    /// Derives the keys for `purpose` from those of `ring` (HKDF-SHA256, RFC 5869).
    pub fn new<K: RingKind>(ring: &KeyRing<K>, purpose: &str) -> Self {
        Self(ring.keys().iter().map(|key| derived(key, purpose)).collect())
    }

    /// Derives the key for `purpose` from a single key that belongs to no ring, such as the one of
    /// a row.
    pub fn of_key(key: &[u8; 32], purpose: &str) -> Self {
        Self(vec![derived(key, purpose)])
    }

    /// Encrypts `plaintext`; it decrypts only under the same `context`.
    ///
    /// # Errors
    /// `Internal` when the plaintext is longer than the algorithm takes, 256 GiB.
    pub fn encrypt(&self, ids: &Ids, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let (id, key) = self.0.first().ok_or_else(|| Error::internal("a key ring is empty"))?;
        let nonce: [u8; NONCE] = ids.bytes();
        let encrypted = XChaCha20Poly1305::new(key.into())
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plaintext, aad: context })
            .map_err(|_| Error::internal("the plaintext is too long"))?;
        Ok([&[VERSION], id.as_slice(), &nonce, &encrypted].concat())
    }

    /// Decrypts what [`Cipher::encrypt`] made. Returns `None` when its key is gone, the context is
    /// another, or it was changed.
    pub fn decrypt(&self, context: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = split(ciphertext)?;
        let (nonce, encrypted) = rest.split_at_checked(NONCE)?;
        let (_, key) = self.0.iter().find(|(known, _)| known == id)?;
        let payload = Payload { msg: encrypted, aad: context };
        XChaCha20Poly1305::new(key.into()).decrypt(XNonce::from_slice(nonce), payload).ok()
    }

    /// Returns whether `ciphertext` was made under the newest key.
    pub fn is_newest(&self, ciphertext: &[u8]) -> bool {
        split(ciphertext).is_some_and(|(id, _)| self.0.first().is_some_and(|(newest, _)| newest == id))
    }
}

fn split(ciphertext: &[u8]) -> Option<(&KeyId, &[u8])> {
    let (version, rest) = ciphertext.split_first()?;
    if *version == VERSION { rest.split_first_chunk() } else { None }
}

/// Expands a key into one that serves `purpose` alone, and an id that tells nothing of it.
pub(super) fn derived(key: &Key, purpose: &str) -> (KeyId, Key) {
    let hkdf = Hkdf::<Sha256>::new(None, key);
    let mut okm = [0; 32 + KEY_ID];
    // Fails only for outputs of more than 255 digests.
    let _ = hkdf.expand(purpose.as_bytes(), &mut okm);
    let (mut id, mut derived) = ([0; KEY_ID], [0; 32]);
    derived.copy_from_slice(&okm[..32]);
    id.copy_from_slice(&okm[32..]);
    (id, derived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, crypto::SecretsRing};

    #[test]
    fn a_ciphertext_decrypts_under_its_key_context_and_purpose_alone() {
        let ids = Ids::seeded(Clock::system(), 5);
        let (old, new) = (SecretsRing::generate(&ids), SecretsRing::generate(&ids));
        let both: SecretsRing = format!("{},{}", new.reveal(), old.reveal()).parse().unwrap();
        let encrypted = Cipher::new(&old, "test").encrypt(&ids, b"row 1", b"hf_secret").unwrap();
        assert!(!encrypted.windows(9).any(|window| window == b"hf_secret"));

        let rotated = Cipher::new(&both, "test");
        assert_eq!(rotated.decrypt(b"row 1", &encrypted).as_deref(), Some(b"hf_secret".as_slice()));
        assert!(!rotated.is_newest(&encrypted) && Cipher::new(&old, "test").is_newest(&encrypted));
        assert_eq!(rotated.decrypt(b"row 2", &encrypted), None);
        assert_eq!(Cipher::new(&both, "other").decrypt(b"row 1", &encrypted), None);
        assert_eq!(Cipher::new(&new, "test").decrypt(b"row 1", &encrypted), None);
        for at in 0..encrypted.len() {
            let mut changed = encrypted.clone();
            changed[at] ^= 1;
            assert_eq!(rotated.decrypt(b"row 1", &changed), None, "byte {at}");
            assert_eq!(rotated.decrypt(b"row 1", &encrypted[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_single_key_makes_a_cipher_of_its_own() {
        let ids = Ids::seeded(Clock::system(), 5);
        let encrypted = Cipher::of_key(&[1; 32], "test").encrypt(&ids, b"7", b"secret").unwrap();
        assert_eq!(
            Cipher::of_key(&[1; 32], "test").decrypt(b"7", &encrypted).as_deref(),
            Some(b"secret".as_slice())
        );
        assert_eq!(Cipher::of_key(&[2; 32], "test").decrypt(b"7", &encrypted), None);
        assert_eq!(Cipher::of_key(&[1; 32], "other").decrypt(b"7", &encrypted), None);
    }
}
