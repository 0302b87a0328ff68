//! Personal data of seals: kept under a key of its subject, which is itself kept only wrapped; erased by forgetting the key.
//!
//! The entry holds SHA-256 over a salt and the canonical text: who is shown both can check them against the log, and who is not learns nothing, not
//! even by guessing. When key, salt and ciphertext are gone, the digest is a number, and every receipt verifies as before.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{
    Ids,
    crypto::{decode_base64, hex, open, seal, sha256},
    error::{Code, Error, Result},
    ids::ProjectId,
};

const PREFIX: &str = "vkek_";
const SALT: usize = 32;
/// Keys that unwrap during a rotation, and one to spare.
const MAX_KEYS: usize = 3;

/// Personal data, with the salt of its digest.
#[derive(Clone)]
pub struct Personal {
    salt: [u8; SALT],
    text: Vec<u8>,
}

impl Personal {
    /// Of canonical JSON.
    pub(super) fn new(ids: &Ids, text: Vec<u8>) -> Self {
        Self { salt: ids.bytes(), text }
    }

    /// The digest that the entry holds, in hexadecimal.
    pub fn commitment(&self) -> String {
        hex(&sha256(&self.salted()))
    }

    /// The salt, in hexadecimal.
    pub fn salt(&self) -> String {
        hex(&self.salt)
    }

    /// The canonical JSON.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    fn salted(&self) -> Vec<u8> {
        [self.salt.as_slice(), &self.text].concat()
    }

    pub(super) fn bytes(&self) -> usize {
        SALT + self.text.len()
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({} bytes)", self.text.len())
    }
}

/// The keys that wrap subjects' keys: the first wraps, all of them unwrap.
#[derive(Clone)]
pub struct Keks(Vec<[u8; 32]>);

/// A text that is not a list of keys; it is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `vkek_` and the base64 of 32 secret bytes; up to 3 of them, separated by commas: the first wraps, all unwrap"
)]
pub struct NotKeks;

impl Keks {
    /// One new key.
    pub fn generate(ids: &Ids) -> Self {
        Self(vec![ids.bytes()])
    }

    /// The secret text, as [`FromStr`] reads it.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|key| format!("{PREFIX}{}", STANDARD.encode(key))).collect::<Vec<_>>().join(",")
    }

    /// A new key for a subject, and how it is kept. It unwraps for that subject (`whose`) alone.
    pub(super) fn new_key(&self, ids: &Ids, whose: &str) -> Result<(SubjectKey, Vec<u8>)> {
        let key = SubjectKey(ids.bytes());
        let wrapping = self.0.first().ok_or_else(|| Error::internal("there is no key to wrap with"))?;
        Ok((key.clone(), seal(ids, wrapping, whose.as_bytes(), &key.0)?))
    }

    /// The subject's key again.
    pub(super) fn unwrap(&self, whose: &str, wrapped: &[u8]) -> Result<SubjectKey> {
        self.0.iter().find_map(|kek| opened(kek, whose, wrapped)).ok_or_else(unreadable)
    }

    /// The subject's key wrapped under the first key; nothing when it is already.
    pub(super) fn rewrap(&self, ids: &Ids, whose: &str, wrapped: &[u8]) -> Result<Option<Vec<u8>>> {
        let newest = self.0.first().ok_or_else(unreadable)?;
        if opened(newest, whose, wrapped).is_some() {
            return Ok(None);
        }
        let key = self.unwrap(whose, wrapped)?;
        seal(ids, newest, whose.as_bytes(), &key.0).map(Some)
    }
}

fn opened(kek: &[u8; 32], whose: &str, wrapped: &[u8]) -> Option<SubjectKey> {
    open(kek, whose.as_bytes(), wrapped)?.try_into().ok().map(SubjectKey)
}

/// A fault of ours that whoever asks should be able to tell to whoever can help.
pub(super) fn unreadable() -> Error {
    let detail = "The key of the subject's personal data cannot be opened here; whoever runs this service must look at VAULT_KEK";
    Error::new(Code::Internal, detail)
        .because("a subject's key was changed, or wrapped under a key that VAULT_KEK does not hold")
}

/// Associated data that binds a wrapped key to its project and subject.
pub(super) fn whose(project: ProjectId, subject: &str) -> String {
    format!("{project}/{subject}")
}

impl FromStr for Keks {
    type Err = NotKeks;

    fn from_str(text: &str) -> Result<Self, NotKeks> {
        let key = |text: &str| {
            let bytes = text.trim().strip_prefix(PREFIX).and_then(decode_base64).ok_or(NotKeks)?;
            bytes.try_into().map_err(|_| NotKeks)
        };
        let keys = text.split(',').map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.len() > MAX_KEYS { Err(NotKeks) } else { Ok(Self(keys)) }
    }
}

impl fmt::Debug for Keks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keks({} keys)", self.0.len())
    }
}

/// What a subject's data is encrypted under.
#[derive(Clone)]
pub(super) struct SubjectKey([u8; 32]);

impl SubjectKey {
    /// Encrypts the data of the seal at `index`; it opens there alone.
    pub(super) fn seal(&self, ids: &Ids, index: u64, personal: &Personal) -> Result<Vec<u8>> {
        seal(ids, &self.0, &index.to_be_bytes(), &personal.salted())
    }

    /// The data again.
    pub(super) fn open(&self, index: u64, sealed: &[u8]) -> Result<Personal> {
        let salted = open(&self.0, &index.to_be_bytes(), sealed);
        let parts = salted.as_deref().and_then(|salted| salted.split_first_chunk::<SALT>());
        let (salt, text) =
            parts.ok_or_else(|| Error::internal(format!("the personal data of seal {index} does not open")))?;
        Ok(Personal { salt: *salt, text: text.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Clock;

    #[test]
    fn data_opens_for_its_subject_and_its_seal_also_after_a_rotation() {
        let ids = Ids::seeded(Clock::system(), 9);
        let (old, new) = (Keks::generate(&ids), Keks::generate(&ids));
        let (key, wrapped) = old.new_key(&ids, "prj/ada").unwrap();
        let personal = Personal::new(&ids, b"{\"name\":\"Ada\"}".to_vec());
        let sealed = key.seal(&ids, 7, &personal).unwrap();
        assert!(!sealed.windows(3).any(|window| window == b"Ada"));

        let rotated: Keks = format!("{},{}", new.reveal(), old.reveal()).parse().unwrap();
        let opened = rotated.unwrap("prj/ada", &wrapped).unwrap().open(7, &sealed).unwrap();
        assert_eq!((opened.text(), opened.commitment()), (personal.text(), personal.commitment()));
        assert!(key.open(8, &sealed).is_err());
        assert!(rotated.unwrap("prj/bob", &wrapped).is_err());
        assert!(new.unwrap("prj/ada", &wrapped).is_err());
        assert!(key.open(7, b"short").is_err());
    }

    #[test]
    fn a_key_is_wrapped_anew_once_and_opens_the_same_data() {
        let ids = Ids::seeded(Clock::system(), 9);
        let (old, new) = (Keks::generate(&ids), Keks::generate(&ids));
        let (key, wrapped) = old.new_key(&ids, "prj/ada").unwrap();
        let sealed = key.seal(&ids, 7, &Personal::new(&ids, b"1".to_vec())).unwrap();
        let both: Keks = format!("{},{}", new.reveal(), old.reveal()).parse().unwrap();
        let again = both.rewrap(&ids, "prj/ada", &wrapped).unwrap().unwrap();
        assert_eq!(again.len(), wrapped.len());
        assert_eq!(new.unwrap("prj/ada", &again).unwrap().open(7, &sealed).unwrap().text(), b"1");
        assert!(old.unwrap("prj/ada", &again).is_err());
        assert_eq!(both.rewrap(&ids, "prj/ada", &again).unwrap(), None);
        assert_eq!(old.rewrap(&ids, "prj/ada", &wrapped).unwrap(), None);
        assert!(new.rewrap(&ids, "prj/ada", &wrapped).is_err() && both.rewrap(&ids, "prj/bob", &wrapped).is_err());
    }

    #[test]
    fn what_is_no_key_is_told_without_repeating_it() {
        for bad in ["", "vkek_", "vkek_AAAA", "vsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="] {
            assert!(!bad.parse::<Keks>().unwrap_err().to_string().contains("AAE"));
        }
    }
}
