//! Rotating keys: lists of secrets in one variable, the newest first.

use std::{fmt, marker::PhantomData, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::decode_base64;
use crate::Ids;

/// The purpose of the keys of a ring.
pub trait RingKind: Clone + Send + Sync + 'static {
    /// The text before each key's base64, so that no key is taken for one of another kind.
    const PREFIX: &'static str;
    /// The most keys that the ring holds: those that a rotation needs, and one to spare.
    const MAX_KEYS: usize;
    /// A description of what only the first key does, for the error message.
    const FIRST: &'static str;
}

/// One to [`RingKind::MAX_KEYS`] distinct secrets of 32 bytes. A rotation puts a new key in front
/// and drops the last once nothing needs it.
pub struct KeyRing<K> {
    keys: Vec<[u8; 32]>,
    kind: PhantomData<K>,
}

/// The error for text that is not a key ring. Its message does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAKeyRing {
    prefix: &'static str,
    max_keys: usize,
    first: &'static str,
}

impl fmt::Display for NotAKeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, max_keys, first } = self;
        write!(
            f,
            "expected 1 to {max_keys} distinct keys, separated by commas, each `{prefix}` and the base64 of \
            32 secret bytes; {first}"
        )
    }
}

impl std::error::Error for NotAKeyRing {}

impl<K: RingKind> KeyRing<K> {
    /// Generates a ring of one new key.
    pub fn generate(ids: &Ids) -> Self {
        Self { keys: vec![ids.bytes()], kind: PhantomData }
    }

    /// Returns the keys, the newest first. There is at least one.
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// Returns the secret text, as [`FromStr`] reads it.
    pub fn reveal(&self) -> String {
        let text = |key: &[u8; 32]| format!("{}{}", K::PREFIX, STANDARD.encode(key));
        self.keys.iter().map(text).collect::<Vec<_>>().join(",")
    }
}

impl<K: RingKind> FromStr for KeyRing<K> {
    type Err = NotAKeyRing;

    fn from_str(text: &str) -> Result<Self, NotAKeyRing> {
        let refused = NotAKeyRing { prefix: K::PREFIX, max_keys: K::MAX_KEYS, first: K::FIRST };
        let mut keys: Vec<[u8; 32]> = Vec::new();
        for text in text.split(',') {
            let bytes = text.trim().strip_prefix(K::PREFIX).and_then(decode_base64).ok_or(refused)?;
            let key = bytes.try_into().map_err(|_| refused)?;
            if keys.contains(&key) || keys.len() == K::MAX_KEYS {
                return Err(refused);
            }
            keys.push(key);
        }
        Ok(Self { keys, kind: PhantomData })
    }
}

impl<K> Clone for KeyRing<K> {
    fn clone(&self) -> Self {
        Self { keys: self.keys.clone(), kind: PhantomData }
    }
}

impl<K: RingKind> fmt::Debug for KeyRing<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({}…, {} keys)", K::PREFIX, self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    #[derive(Clone)]
    struct Test;

    impl RingKind for Test {
        const PREFIX: &'static str = "test_";
        const MAX_KEYS: usize = 2;
        const FIRST: &'static str = "the first encrypts";
    }

    #[test]
    fn a_ring_survives_its_text_and_shows_none_of_it() {
        let ids = Ids::seeded(Clock::system(), 1);
        let (one, two) = (KeyRing::<Test>::generate(&ids), KeyRing::<Test>::generate(&ids));
        let text = format!("{}, {}", one.reveal(), two.reveal());
        let both: KeyRing<Test> = text.parse().unwrap();
        assert_eq!(both.keys(), [one.keys()[0], two.keys()[0]]);
        assert_eq!(format!("{both:?}"), "KeyRing(test_…, 2 keys)");
    }

    #[test]
    fn a_wrong_text_is_refused_without_being_repeated() {
        let key = "test_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let three = ["A", "B", "C"].map(|first| key.replacen("_A", &format!("_{first}"), 1)).join(",");
        for wrong in
            ["", "test_", "test_AAECAw==", &key.replace("test", "other"), &format!("{key},{key}"), &three]
        {
            let refusal = wrong.parse::<KeyRing<Test>>().unwrap_err().to_string();
            assert!(
                refusal.starts_with("expected 1 to 2 distinct keys") && !refusal.contains("AAEC"),
                "{refusal}"
            );
        }
    }
}
