//! Receipts: the inclusion proof of a seal and the checkpoint it leads to, as one text (C2SP
//! tlog-proof) that can be checked offline.

use std::{collections::BTreeSet, fmt::Write as _};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use signed_note::{Note, NoteError, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, RecordProof, check_record, record_hash};
use utoipa::ToSchema;

use super::tree::MAX_SIZE;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The longest text that is read: 64 hashes, an entry of 64 KiB in base64, a checkpoint with many
/// cosignatures.
pub const MAX_TEXT: usize = 256 * 1024;
/// The most hashes of a proof in a tree of 2^64 leaves.
const MAX_HASHES: usize = 64;

/// A receipt, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The entry itself, where the receipt carries it. Only the proof vouches for it.
    pub entry: Option<Vec<u8>>,
    /// The entry's place in the log.
    pub index: u64,
    /// The hashes from the leaf's sibling up to the root's child.
    pub proof: RecordProof,
    /// The signed note, as it was served.
    pub checkpoint: String,
}

/// The first thing that is wrong with a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The text is not a tlog-proof.
    #[error("the text is not a c2sp.org/tlog-proof@v1: it was cut, or is of another kind")]
    Malformed,
    /// The part after the empty line is not a signed checkpoint.
    #[error("the checkpoint is not a signed note")]
    MalformedCheckpoint,
    /// The checkpoint belongs to another log.
    #[error("the checkpoint belongs to another log than the one to check")]
    OtherLog,
    /// No signature was made by a trusted key.
    #[error("no signature on the checkpoint was made by a key that is trusted for this log")]
    UnknownKey,
    /// The signature of a trusted key does not verify.
    #[error("the checkpoint's signature does not verify: the checkpoint was changed")]
    Signature,
    /// The index lies beyond the checkpoint's tree.
    #[error("the index lies beyond the size that the checkpoint states")]
    Index,
    /// There is no entry to check.
    #[error("the receipt does not carry its entry, and none was given")]
    EntryMissing,
    /// The hashes do not lead from the entry to the root.
    #[error(
        "the proof does not lead from the entry to the checkpoint's root: entry, index or proof was changed"
    )]
    Proof,
}

/// The size and the root that a verified checkpoint states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedHead {
    /// The number of entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

impl Receipt {
    /// Returns the text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(entry) = &self.entry {
            let _ = writeln!(text, "extra {}", STANDARD.encode(entry));
        }
        let _ = writeln!(text, "index {}", self.index);
        for hash in &self.proof {
            let _ = writeln!(text, "{}", STANDARD.encode(hash.0));
        }
        text + "\n" + &self.checkpoint
    }

    /// Takes a text apart.
    ///
    /// # Errors
    /// [`Flaw::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        if text.len() > MAX_TEXT {
            return Err(Flaw::Malformed);
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Flaw::Malformed)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(Flaw::Malformed);
        }
        let extra =
            lines.next_if(|line| line.starts_with("extra ")).and_then(|line| line.strip_prefix("extra "));
        let entry = extra.map(|extra| STANDARD.decode(extra).map_err(|_| Flaw::Malformed)).transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let proof = lines.map(hash).collect::<Option<Vec<_>>>().ok_or(Flaw::Malformed)?;
        if proof.len() > MAX_HASHES {
            return Err(Flaw::Malformed);
        }
        Ok(Self { entry, index: index.ok_or(Flaw::Malformed)?, proof, checkpoint: checkpoint.to_owned() })
    }

    /// Returns the log's name as the checkpoint states it. Nothing of it is verified yet.
    pub fn origin(&self) -> Option<&str> {
        self.checkpoint.lines().next().filter(|line| !line.is_empty())
    }

    /// Checks everything, offline: the log `origin` signed, under one of the `trusted` keys, a
    /// checkpoint whose tree has the entry at the index. Returns the checkpoint's size.
    ///
    /// # Errors
    /// The first [`Flaw`].
    pub fn verify(&self, origin: &str, trusted: &[String]) -> Result<u64, Flaw> {
        let SignedHead { size, root } = verify_checkpoint(&self.checkpoint, origin, trusted)?;
        // This also keeps the arithmetic below from overflowing.
        if self.index >= size || size > MAX_SIZE {
            return Err(Flaw::Index);
        }
        let entry = self.entry.as_ref().ok_or(Flaw::EntryMissing)?;
        check_record(&self.proof, size, root, self.index, record_hash(entry)).map_err(|_| Flaw::Proof)?;
        Ok(size)
    }
}

/// Verifies a checkpoint of the log `origin` under one of the `trusted` keys.
///
/// # Errors
/// The first [`Flaw`].
pub fn verify_checkpoint(checkpoint: &str, origin: &str, trusted: &[String]) -> Result<SignedHead, Flaw> {
    let note = Note::from_bytes(checkpoint.as_bytes()).map_err(|_| Flaw::MalformedCheckpoint)?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|_| Flaw::MalformedCheckpoint)?;
    if checkpoint.origin() != origin {
        return Err(Flaw::OtherLog);
    }
    let verifier = |key: &String| {
        let verifier = StandardVerifier::new(key).ok()?;
        Some(Box::new(verifier) as Box<dyn Verifier>)
    };
    // A key counts under the log's own name alone, and once: a witness' key makes no log's
    // checkpoint.
    let is_named = |key: &&String| key.strip_prefix(origin).is_some_and(|rest| rest.starts_with('+'));
    let named: BTreeSet<&String> = trusted.iter().filter(is_named).collect();
    let known = VerifierList::new(named.into_iter().filter_map(verifier).collect());
    note.verify(&known).map_err(|error| match error {
        NoteError::InvalidSignature { .. } => Flaw::Signature,
        _ => Flaw::UnknownKey,
    })?;
    Ok(SignedHead { size: checkpoint.size(), root: *checkpoint.hash() })
}

/// Reads a number without leading zeros, signs or spaces.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn hash(line: &str) -> Option<Hash> {
    Some(Hash(STANDARD.decode(line).ok()?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::{
        note::{CheckpointSigner, VaultKeyRing},
        tree::Tree,
    };
    use kernel::{Clock, Ids};

    const ORIGIN: &str = "api.example.com/v1/vault/logs/log_1";

    fn receipt(keys: &CheckpointSigner) -> Receipt {
        let mut tree = Tree::default();
        for n in 0..37 {
            tree.push(record_hash(format!("entry {n}").as_bytes())).unwrap();
        }
        let checkpoint = keys.sign(ORIGIN, 37, tree.root().unwrap()).unwrap();
        Receipt { entry: Some(b"entry 20".to_vec()), index: 20, proof: tree.prove(20).unwrap(), checkpoint }
    }

    fn ring(seed: u64) -> VaultKeyRing {
        VaultKeyRing::generate(&Ids::seeded(Clock::system(), seed))
    }

    fn keys(seed: u64) -> CheckpointSigner {
        CheckpointSigner::new(&ring(seed))
    }

    #[test]
    fn a_receipt_verifies_and_says_what_is_wrong_with_another() {
        let (ours, other) = (keys(1), keys(2));
        let good = receipt(&ours);
        let trusted = ours.verifiers(ORIGIN);
        assert_eq!(Receipt::parse(&good.to_text()).unwrap(), good);
        assert_eq!(good.verify(ORIGIN, &trusted), Ok(37));

        let changed = |change: fn(&mut Receipt)| {
            let mut receipt = good.clone();
            change(&mut receipt);
            receipt.verify(ORIGIN, &trusted)
        };
        assert_eq!(changed(|receipt| receipt.index = 21), Err(Flaw::Proof));
        assert_eq!(changed(|receipt| receipt.index = 37), Err(Flaw::Index));
        assert_eq!(changed(|receipt| receipt.index = u64::MAX), Err(Flaw::Index));
        assert_eq!(changed(|receipt| receipt.entry = Some(b"entry 21".to_vec())), Err(Flaw::Proof));
        assert_eq!(changed(|receipt| receipt.entry = None), Err(Flaw::EntryMissing));
        assert_eq!(changed(|receipt| receipt.proof[0].0[0] ^= 1), Err(Flaw::Proof));
        assert_eq!(changed(|receipt| receipt.proof.truncate(3)), Err(Flaw::Proof));
        assert_eq!(changed(|receipt| receipt.proof.push(Hash([0; 32]))), Err(Flaw::Proof));
        assert_eq!(
            changed(|receipt| receipt.checkpoint = receipt.checkpoint.replace("\n37\n", "\n38\n")),
            Err(Flaw::Signature)
        );
        assert_eq!(changed(|receipt| receipt.checkpoint.truncate(60)), Err(Flaw::MalformedCheckpoint));
        assert_eq!(good.verify("api.example.com/v1/vault/logs/log_2", &trusted), Err(Flaw::OtherLog));
        assert_eq!(good.verify(ORIGIN, &other.verifiers(ORIGIN)), Err(Flaw::UnknownKey));
        assert_eq!(good.verify(ORIGIN, &[]), Err(Flaw::UnknownKey));
        assert_eq!(good.verify(ORIGIN, &[trusted.clone(), trusted.clone()].concat()), Ok(37), "named twice");
    }

    #[test]
    fn during_a_rotation_either_key_verifies() {
        let both: VaultKeyRing = format!("{},{}", ring(3).reveal(), ring(4).reveal()).parse().unwrap();
        let (old, new, both) = (keys(3), keys(4), CheckpointSigner::new(&both));
        for known in [&old, &new, &both] {
            assert_eq!(receipt(&both).verify(ORIGIN, &known.verifiers(ORIGIN)), Ok(37));
        }
        assert_eq!(receipt(&new).verify(ORIGIN, &old.verifiers(ORIGIN)), Err(Flaw::UnknownKey));
    }

    proptest! {
        /// Changes one bit of a receipt: none can be changed unnoticed.
        #[test]
        fn every_flipped_bit_is_seen(at: prop::sample::Index, bit in 0_u8..8) {
            let keys = keys(5);
            let mut bytes = receipt(&keys).to_text().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let verdict = String::from_utf8(bytes).ok().and_then(|text| {
                Receipt::parse(&text).and_then(|receipt| receipt.verify(ORIGIN, &keys.verifiers(ORIGIN))).ok()
            });
            prop_assert_eq!(verdict, None);
        }

        #[test]
        fn any_text_is_taken_apart_or_refused(text in "\\PC{0,200}") {
            let _ = Receipt::parse(&text);
            let _ = Receipt::parse(&format!("{HEADER}\nindex 0\n\n{text}"));
        }
    }
}
