//! Signed checkpoints (C2SP signed-note and tlog-checkpoint): the size and the root of a log's
//! tree, under its keys, so that anybody can hold the log to them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use kernel::{
    crypto::{KeyRing, RingKind},
    error::{Error, Result},
};
use signed_note::{Note, Signature, key_id};
use tlog_tiles::{Checkpoint, Hash};

/// The algorithm byte of Ed25519 (signed-note).
const ED25519: u8 = 1;

/// The kind of the keys in `VAULT_SIGNING_KEY`.
#[derive(Debug, Clone, Copy)]
pub struct VaultKeysKind;

impl RingKind for VaultKeysKind {
    const PREFIX: &'static str = "vsk_";
    const MAX_KEYS: usize = 3;
    const FIRST: &'static str = "all sign";
}

/// The keys in `VAULT_SIGNING_KEY`: secret halves of Ed25519 key pairs.
pub type VaultKeyRing = KeyRing<VaultKeysKind>;

/// Signs checkpoints with every key of a ring. During a rotation there are two, so that the holder
/// of either key can verify.
#[derive(Clone)]
pub struct CheckpointSigner(Vec<SigningKey>);

impl CheckpointSigner {
    /// Creates the signer with the keys of `ring`.
    pub fn new(ring: &VaultKeyRing) -> Self {
        Self(ring.keys().iter().map(SigningKey::from_bytes).collect())
    }

    /// Returns the verifier keys of the log `origin` in the text form of signed-note:
    /// `<origin>+<id>+<base64>`.
    pub fn verifiers(&self, origin: &str) -> Vec<String> {
        let text = |key: &SigningKey| {
            let public = encoded(&key.verifying_key());
            format!("{origin}+{:08x}+{}", key_id(origin, &public), STANDARD.encode(public))
        };
        self.0.iter().map(text).collect()
    }

    /// Returns the signed checkpoint of the log `origin` at `size`, as the note that is served.
    /// Ed25519 is deterministic, so it is the same each time.
    ///
    /// # Errors
    /// `Internal` for an origin that cannot stand in a note.
    pub fn sign(&self, origin: &str, size: u64, root: Hash) -> Result<String> {
        let text = checkpoint_text(origin, size, root)?;
        let sign = |key: &SigningKey| {
            let id = key_id(origin, &encoded(&key.verifying_key()));
            Signature::new(origin.to_owned(), id, key.sign(text.as_bytes()).to_vec())
        };
        let signatures = self.0.iter().map(sign).collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
        let note = Note::new(text.as_bytes(), &signatures).map_err(Error::internal)?;
        String::from_utf8(note.to_bytes()).map_err(Error::internal)
    }
}

impl fmt::Debug for CheckpointSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointSigner({} keys)", self.0.len())
    }
}

/// Returns the text of a checkpoint that signatures are over.
///
/// # Errors
/// `Internal` for an origin that cannot stand in a note.
pub fn checkpoint_text(origin: &str, size: u64, root: Hash) -> Result<String> {
    let checkpoint = Checkpoint::new(origin, size, root, "");
    let checkpoint = checkpoint.map_err(|error| Error::internal(format!("{error:?}")))?;
    String::from_utf8(checkpoint.to_bytes()).map_err(Error::internal)
}

/// Returns the key as signed-note has it, after its type.
fn encoded(key: &VerifyingKey) -> Vec<u8> {
    [&[ED25519], key.as_bytes().as_slice()].concat()
}
