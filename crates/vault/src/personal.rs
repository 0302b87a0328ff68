//! Personal data of seals: encrypted under a key of its subject, which is stored only wrapped.
//! Erasing the key erases the data.
//!
//! The entry holds SHA-256 over a salt and the canonical text. A reader who has both can check them
//! against the log; a reader who has neither learns nothing, not even by guessing. Once key, salt
//! and ciphertext are gone, the digest is a mere number, and every receipt verifies as before.

use std::fmt;

use kernel::{
    Ids,
    crypto::{Cipher, KeyRing, RingKind, hex, sha256},
    error::{Error, Result},
    ids::ProjectId,
};

use crate::errors::key_unreadable;

const SALT: usize = 32;
/// The purpose of the keys that wrap subjects' keys.
const WRAPPING: &str = "vault.subject_key";
/// The purpose of a subject's key.
const PERSONAL: &str = "vault.personal";

/// The kind of the keys in `VAULT_KEK`.
#[derive(Debug, Clone, Copy)]
pub struct KekKind;

impl RingKind for KekKind {
    const PREFIX: &'static str = "vkek_";
    const MAX_KEYS: usize = 3;
    const FIRST: &'static str = "the first wraps, all unwrap";
}

/// The keys in `VAULT_KEK`: key-encryption keys, which wrap the keys of subjects.
pub type KekRing = KeyRing<KekKind>;

/// Personal data, with the salt of its digest.
#[derive(Clone)]
pub(crate) struct Personal {
    salt: [u8; SALT],
    text: Vec<u8>,
}

impl Personal {
    /// Salts `text`, which is canonical JSON.
    pub(crate) fn new(ids: &Ids, text: Vec<u8>) -> Self {
        Self { salt: ids.bytes(), text }
    }

    /// Returns the digest that the entry holds, in hexadecimal.
    pub(crate) fn commitment(&self) -> String {
        hex(&sha256(&self.salted()))
    }

    /// Returns the salt, in hexadecimal.
    pub(crate) fn salt(&self) -> String {
        hex(&self.salt)
    }

    /// Returns the canonical JSON.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        SALT + self.text.len()
    }

    fn salted(&self) -> Vec<u8> {
        [self.salt.as_slice(), &self.text].concat()
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({} bytes)", self.text.len())
    }
}

/// Wraps and unwraps the keys of subjects. A wrapped key unwraps for its own subject alone.
#[derive(Clone)]
pub(crate) struct KeyWrap(Cipher);

/// A new key of a subject, and its wrapped form.
pub(crate) struct NewSubjectKey {
    pub(crate) key: SubjectKey,
    pub(crate) wrapped: Vec<u8>,
}

impl KeyWrap {
    /// Wraps under the first key of `ring`, and unwraps under all of them.
    pub(crate) fn new(ring: &KekRing) -> Self {
        Self(Cipher::new(ring, WRAPPING))
    }

    /// Generates a key for `owner`.
    pub(crate) fn generate(&self, ids: &Ids, owner: Owner<'_>) -> Result<NewSubjectKey> {
        let key: [u8; 32] = ids.bytes();
        let wrapped = self.0.encrypt(ids, &owner.context(), &key)?;
        Ok(NewSubjectKey { key: SubjectKey::new(&key), wrapped })
    }

    /// Unwraps the key of `owner`.
    ///
    /// # Errors
    /// `Internal` when it was changed, or wrapped under a key that the ring does not hold.
    pub(crate) fn unwrap(&self, owner: Owner<'_>, wrapped: &[u8]) -> Result<SubjectKey> {
        self.decrypt(owner, wrapped).map(|key| SubjectKey::new(&key))
    }

    /// Wraps the key of `owner` under the newest key; returns `None` when it already is.
    ///
    /// # Errors
    /// As [`KeyWrap::unwrap`].
    pub(crate) fn rewrap(&self, ids: &Ids, owner: Owner<'_>, wrapped: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.0.is_newest(wrapped) {
            return Ok(None);
        }
        let key = self.decrypt(owner, wrapped)?;
        self.0.encrypt(ids, &owner.context(), &key).map(Some)
    }

    fn decrypt(&self, owner: Owner<'_>, wrapped: &[u8]) -> Result<[u8; 32]> {
        let key = self.0.decrypt(&owner.context(), wrapped);
        key.and_then(|key| key.try_into().ok()).ok_or_else(key_unreadable)
    }
}

/// The subject that a key belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) project: ProjectId,
    pub(crate) subject: &'a str,
}

impl Owner<'_> {
    /// Returns the associated data that binds a wrapped key to its owner.
    fn context(self) -> Vec<u8> {
        format!("{}/{}", self.project, self.subject).into_bytes()
    }
}

/// The key of a subject's data.
#[derive(Clone)]
pub(crate) struct SubjectKey(Cipher);

impl SubjectKey {
    fn new(key: &[u8; 32]) -> Self {
        Self(Cipher::of_key(key, PERSONAL))
    }

    /// Encrypts the data of the seal at `index`; it decrypts there alone.
    pub(crate) fn encrypt(&self, ids: &Ids, index: u64, personal: &Personal) -> Result<Vec<u8>> {
        self.0.encrypt(ids, &index.to_be_bytes(), &personal.salted())
    }

    /// Decrypts the data of the seal at `index`.
    ///
    /// # Errors
    /// `Internal` when it was changed or moved.
    pub(crate) fn decrypt(&self, index: u64, ciphertext: &[u8]) -> Result<Personal> {
        let salted = self.0.decrypt(&index.to_be_bytes(), ciphertext);
        let parts = salted.as_deref().and_then(|salted| salted.split_first_chunk::<SALT>());
        let refused = || Error::internal(format!("the personal data of seal {index} does not decrypt"));
        let (salt, text) = parts.ok_or_else(refused)?;
        Ok(Personal { salt: *salt, text: text.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn owner(subject: &str) -> Owner<'_> {
        Owner { project: ProjectId::from(uuid::Uuid::from_u128(1)), subject }
    }

    fn wrap(text: &str) -> KeyWrap {
        KeyWrap::new(&text.parse().unwrap())
    }

    #[test]
    fn data_decrypts_for_its_subject_and_its_seal_also_after_a_rotation() {
        let ids = Ids::seeded(Clock::system(), 9);
        let (old, new) = (KekRing::generate(&ids), KekRing::generate(&ids));
        let NewSubjectKey { key, wrapped } = KeyWrap::new(&old).generate(&ids, owner("ada")).unwrap();
        let personal = Personal::new(&ids, b"{\"name\":\"Ada\"}".to_vec());
        let ciphertext = key.encrypt(&ids, 7, &personal).unwrap();
        assert!(!ciphertext.windows(3).any(|window| window == b"Ada"));

        let rotated = wrap(&format!("{},{}", new.reveal(), old.reveal()));
        let decrypted = rotated.unwrap(owner("ada"), &wrapped).unwrap().decrypt(7, &ciphertext).unwrap();
        assert_eq!((decrypted.text(), decrypted.commitment()), (personal.text(), personal.commitment()));
        assert!(key.decrypt(8, &ciphertext).is_err());
        assert!(rotated.unwrap(owner("bob"), &wrapped).is_err());
        let elsewhere = Owner { project: ProjectId::from(uuid::Uuid::from_u128(2)), subject: "ada" };
        assert!(rotated.unwrap(elsewhere, &wrapped).is_err());
        assert!(KeyWrap::new(&new).unwrap(owner("ada"), &wrapped).is_err());
        assert!(key.decrypt(7, b"short").is_err());
    }

    #[test]
    fn a_key_is_rewrapped_once_and_decrypts_the_same_data() {
        let ids = Ids::seeded(Clock::system(), 9);
        let (old, new) = (KekRing::generate(&ids), KekRing::generate(&ids));
        let both = wrap(&format!("{},{}", new.reveal(), old.reveal()));
        let (old, new) = (KeyWrap::new(&old), KeyWrap::new(&new));
        let NewSubjectKey { key, wrapped } = old.generate(&ids, owner("ada")).unwrap();
        let ciphertext = key.encrypt(&ids, 7, &Personal::new(&ids, b"1".to_vec())).unwrap();
        let again = both.rewrap(&ids, owner("ada"), &wrapped).unwrap().unwrap();
        assert_eq!(again.len(), wrapped.len());
        let key = new.unwrap(owner("ada"), &again).unwrap();
        assert_eq!(key.decrypt(7, &ciphertext).unwrap().text(), b"1");
        assert!(old.unwrap(owner("ada"), &again).is_err());
        assert_eq!(both.rewrap(&ids, owner("ada"), &again).unwrap(), None);
        assert_eq!(old.rewrap(&ids, owner("ada"), &wrapped).unwrap(), None);
        assert!(new.rewrap(&ids, owner("ada"), &wrapped).is_err());
        assert!(both.rewrap(&ids, owner("bob"), &wrapped).is_err());
    }

    #[test]
    fn a_text_that_is_not_a_key_is_refused_without_being_repeated() {
        let wrong = ["", "vkek_", "vkek_AAAA", "vsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="];
        for text in wrong {
            assert!(!text.parse::<KekRing>().unwrap_err().to_string().contains("AAE"));
        }
    }
}
