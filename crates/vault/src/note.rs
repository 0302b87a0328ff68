//! Signed checkpoints (C2SP signed-note and tlog-checkpoint): what a log says its tree is, for anybody to hold it to.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use signed_note::{Note, Signature, key_id};
use tlog_tiles::{Checkpoint, Hash};

use kernel::{
    Ids,
    crypto::decode_base64,
    error::{Error, Result},
};

const PREFIX: &str = "vsk_";
/// The algorithm byte of Ed25519 (signed-note).
const ED25519: u8 = 1;
/// Keys that sign during a rotation, and one to spare.
const MAX_KEYS: usize = 3;

/// The keys that sign checkpoints, all of them each. During a rotation there are two, so that whoever knows either can verify.
#[derive(Clone)]
pub struct VaultKeys(Vec<SigningKey>);

/// A text that is not a list of keys; it is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotVaultKeys {
    /// Something else, or too many.
    #[error("must be `vsk_` and the base64 of 32 secret bytes; up to 3 of them, separated by commas, which all sign")]
    Form,
    /// The same key again: a checkpoint has one signature of each.
    #[error("names one key twice; each key once")]
    Twice,
}

impl VaultKeys {
    /// One new key.
    pub fn generate(ids: &Ids) -> Self {
        Self(vec![SigningKey::from_bytes(&ids.bytes())])
    }

    /// The secret text, as [`FromStr`] reads it.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|key| format!("{PREFIX}{}", STANDARD.encode(key.to_bytes()))).collect::<Vec<_>>().join(",")
    }

    /// The verifier keys of the log called `origin`, in the text form of signed-note: `<origin>+<id>+<base64>`.
    pub fn verifiers(&self, origin: &str) -> Vec<String> {
        let text = |key: &SigningKey| {
            let public = encoded(&key.verifying_key());
            format!("{origin}+{:08x}+{}", key_id(origin, &public), STANDARD.encode(public))
        };
        self.0.iter().map(text).collect()
    }

    /// The checkpoint of the log called `origin` at `size`, signed: the note as it is served. The same each time, since Ed25519 is.
    ///
    /// # Errors
    /// An origin that cannot be one.
    pub fn sign(&self, origin: &str, size: u64, root: Hash) -> Result<String> {
        let text =
            Checkpoint::new(origin, size, root, "").map_err(|error| Error::internal(format!("{error:?}")))?.to_bytes();
        let sign = |key: &SigningKey| {
            let id = key_id(origin, &encoded(&key.verifying_key()));
            Signature::new(origin.to_owned(), id, key.sign(&text).to_vec())
        };
        let signatures = self.0.iter().map(sign).collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
        let note = Note::new(&text, &signatures).map_err(Error::internal)?;
        String::from_utf8(note.to_bytes()).map_err(Error::internal)
    }
}

fn encoded(key: &VerifyingKey) -> Vec<u8> {
    [&[ED25519], key.as_bytes().as_slice()].concat()
}

impl FromStr for VaultKeys {
    type Err = NotVaultKeys;

    fn from_str(text: &str) -> Result<Self, NotVaultKeys> {
        let key = |text: &str| {
            let bytes = text.trim().strip_prefix(PREFIX).and_then(decode_base64).ok_or(NotVaultKeys::Form)?;
            Ok(SigningKey::from_bytes(&bytes.try_into().map_err(|_| NotVaultKeys::Form)?))
        };
        let keys = text.split(',').map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.len() > MAX_KEYS {
            return Err(NotVaultKeys::Form);
        }
        let twice = keys.iter().enumerate().any(|(n, key)| keys.iter().take(n).any(|before| before == key));
        if twice { Err(NotVaultKeys::Twice) } else { Ok(Self(keys)) }
    }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKeys({} keys)", self.0.len())
    }
}
