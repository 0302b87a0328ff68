//! The names and keys of witnesses.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::crypto::PublicKey;
use signed_note::{is_key_name_valid, key_id};

/// The type byte of a timestamped Ed25519 cosignature (signed-note).
const COSIGNATURE_V1: u8 = 4;
/// Types of keys that an operator may hand us by mistake.
const ED25519: u8 = 1;
const ML_DSA_44: u8 = 6;

/// The name and the key of a witness. As text it is a verifier key of signed-note,
/// `<name>+<id>+<base64>`, of the type 0x04.
///
/// Other types are refused: in tlog-witness, a witness answers with cosignatures, and a log's own
/// signatures (0x01) state no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: u32,
    key: PublicKey,
}

/// The reason why some text is not a [`WitnessKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAWitnessKey {
    /// It does not have three parts, or one of them has another form.
    #[error("is not a verifier key, `<name>+<8 hexadecimal digits>+<base64>`")]
    Form,
    /// The digits do not belong to this name and key: one of the three was mistyped.
    #[error("has an id that does not belong to its name and key: a character was lost or changed")]
    Id,
    /// It has the type 0x01.
    #[error(
        "is the key of a log (type 0x01), not of a witness: ask for the one of type 0x04, for cosignatures"
    )]
    LogKey,
    /// It has the type 0x06.
    #[error("is an ML-DSA-44 key (type 0x06), which is not supported: ask for the Ed25519 one, of type 0x04")]
    MlDsa,
    /// It has a type that no witness has.
    #[error("has the type {0:#04x}; the key of a witness has the type 0x04")]
    Type(u8),
    /// The bytes are not a usable key.
    #[error("does not hold 32 bytes that are a usable point on the Ed25519 curve")]
    Point,
}

impl WitnessKey {
    /// Creates the key of the witness `name`.
    ///
    /// # Errors
    /// [`NotAWitnessKey::Form`] for a name that is empty or holds a space, a control character or
    /// `+`.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, NotAWitnessKey> {
        if !is_key_name_valid(name) || name.contains(char::is_control) {
            return Err(NotAWitnessKey::Form);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, &encoded(&key)), key })
    }

    /// Returns the name of the witness, which is not an address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id that tells keys of one name apart: the first four bytes of SHA-256 over name,
    /// type and key.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns name and id as [its lines](super::Cosignature::line) have them. Its cosignatures are
    /// stored under this.
    pub fn signer(&self) -> String {
        format!("{}+{:08x}", self.name, self.id)
    }

    /// Returns the key itself. Two names with one key are one witness.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }
}

impl FromStr for WitnessKey {
    type Err = NotAWitnessKey;

    fn from_str(text: &str) -> Result<Self, NotAWitnessKey> {
        // The base64 may hold `+` as well.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAWitnessKey::Form);
        };
        let material = STANDARD.decode(base64).map_err(|_| NotAWitnessKey::Form)?;
        let (kind, key) = material.split_first().ok_or(NotAWitnessKey::Form)?;
        match *kind {
            COSIGNATURE_V1 => {}
            ED25519 => return Err(NotAWitnessKey::LogKey),
            ML_DSA_44 => return Err(NotAWitnessKey::MlDsa),
            other => return Err(NotAWitnessKey::Type(other)),
        }
        let key = Self::new(name, PublicKey::from_bytes(key).map_err(|_| NotAWitnessKey::Point)?)?;
        if id.len() != 8 || !id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotAWitnessKey::Form);
        }
        if id == format!("{:08x}", key.id) { Ok(key) } else { Err(NotAWitnessKey::Id) }
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(encoded(&self.key)))
    }
}

/// Returns the key as signed-note has it, after its type.
fn encoded(key: &PublicKey) -> Vec<u8> {
    [&[COSIGNATURE_V1], key.as_bytes().as_slice()].concat()
}
