//! The envelope of every secret that is stored: encrypted under `SECRETS_KEY`, and bound to the row
//! that holds it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use super::{
    cipher::{Cipher, derived},
    key_ring::{KeyRing, RingKind},
};
use crate::{Error, Ids};

/// The kind of the keys in `SECRETS_KEY`.
#[derive(Debug, Clone, Copy)]
pub struct SecretsKind;

impl RingKind for SecretsKind {
    const PREFIX: &'static str = "hfsk_";
    const MAX_KEYS: usize = 4;
    const FIRST: &'static str = "the first encrypts, all decrypt";
}

/// The keys in `SECRETS_KEY`.
pub type SecretsRing = KeyRing<SecretsKind>;

/// The place where a secret is stored: a ciphertext that is moved to another place does not decrypt
/// there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The project or person whose secret it is.
    pub tenant: Uuid,
    /// The purpose, `<area>.<noun>`. Each purpose has keys of its own.
    pub purpose: &'static str,
    /// The identifier of its row.
    pub row: &'a [u8],
}

impl Place<'_> {
    /// Returns the associated data. Each part but the last has a fixed or stated length, so that no
    /// two places read alike.
    fn context(&self) -> Vec<u8> {
        let length = u8::try_from(self.purpose.len()).unwrap_or(u8::MAX);
        [self.tenant.as_bytes(), [length].as_slice(), self.purpose.as_bytes(), self.row].concat()
    }
}

/// Encrypts and authenticates what is stored. Cloning copies keys.
#[derive(Clone)]
pub struct Secrets(SecretsRing);

impl Secrets {
    /// Uses the keys of `ring`, which are the same on every replica.
    pub fn new(ring: SecretsRing) -> Self {
        Self(ring)
    }

    /// Encrypts `plaintext` for its place.
    ///
    /// # Errors
    /// `Internal` when it is longer than 256 GiB.
    pub fn encrypt(&self, ids: &Ids, place: Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        Cipher::new(&self.0, place.purpose).encrypt(ids, &place.context(), plaintext)
    }

    /// Decrypts the secret that was encrypted for the same place. Returns `None` when its key is
    /// gone, or it was changed or moved.
    pub fn decrypt(&self, place: Place<'_>, ciphertext: &[u8]) -> Option<Vec<u8>> {
        Cipher::new(&self.0, place.purpose).decrypt(&place.context(), ciphertext)
    }

    /// Returns the message authentication code for `purpose`.
    pub fn mac(&self, purpose: &'static str) -> Mac<'_> {
        Mac { ring: &self.0, purpose }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// HMAC-SHA256 (RFC 2104) for one purpose: the newest key makes tags, every key verifies them. The
/// database alone does not confirm a guess of a tagged message.
#[derive(Clone, Copy)]
pub struct Mac<'a> {
    ring: &'a SecretsRing,
    purpose: &'static str,
}

impl Mac<'_> {
    /// Returns the tag of `message`.
    pub fn tag(&self, message: &[u8]) -> [u8; 32] {
        // A ring has at least one key.
        let key = self.ring.keys()[0];
        self.under(&key, message).finalize().into_bytes().into()
    }

    /// Returns whether `tag` is that of `message` under any of the keys, in constant time.
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.ring.keys().iter().any(|key| self.under(key, message).verify_slice(tag).is_ok())
    }

    fn under(&self, key: &[u8; 32], message: &[u8]) -> Hmac<Sha256> {
        // A key shorter than HMAC's block is filled up with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        let (_, key) = derived(key, self.purpose);
        block[..key.len()].copy_from_slice(&key);
        Hmac::<Sha256>::new(&block.into()).chain_update(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    #[test]
    fn a_secret_decrypts_in_its_own_place_alone() {
        let ids = Ids::seeded(Clock::system(), 5);
        let secrets = Secrets::new(SecretsRing::generate(&ids));
        let place = Place { tenant: Uuid::from_u128(1), purpose: "test.secret", row: b"7" };
        let encrypted = secrets.encrypt(&ids, place, b"hf_secret").unwrap();
        assert_eq!(secrets.decrypt(place, &encrypted).as_deref(), Some(b"hf_secret".as_slice()));
        for moved in [
            Place { tenant: Uuid::from_u128(2), ..place },
            Place { purpose: "test.other", ..place },
            Place { row: b"8", ..place },
        ] {
            assert_eq!(secrets.decrypt(moved, &encrypted), None, "{moved:?}");
        }
    }

    #[test]
    fn a_tag_verifies_under_its_purpose_also_after_a_rotation() {
        let ids = Ids::seeded(Clock::system(), 6);
        let (old, new) = (SecretsRing::generate(&ids), SecretsRing::generate(&ids));
        let both = Secrets::new(format!("{},{}", new.reveal(), old.reveal()).parse().unwrap());
        let tag = Secrets::new(old).mac("test.tag").tag(b"request");
        assert!(both.mac("test.tag").verify(b"request", &tag));
        assert!(
            !both.mac("test.tag").verify(b"another", &tag)
                && !both.mac("test.other").verify(b"request", &tag)
        );
        assert!(!Secrets::new(new).mac("test.tag").verify(b"request", &tag));
    }
}
