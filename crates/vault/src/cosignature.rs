//! Witnesses' cosignatures (C2SP tlog-cosignature, its version 1 by Ed25519): what somebody who is not us saw a log's tree to be, and when.
//!
//! A witness cosigns a checkpoint only after a proof that it continues the last one it saw, so whoever finds its line on a checkpoint
//! knows that a log did not show others another history.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use signed_note::{Note, Signature, is_key_name_valid, key_id};

use kernel::{
    clock::Timestamp,
    crypto::PublicKey,
    error::{Error, Result},
};

/// What a cosignature is signed over begins with it, so that it can be taken for no other signature.
const HEADER: &str = "cosignature/v1";
/// The type byte of a timestamped Ed25519 cosignature (signed-note).
const COSIGNATURE_V1: u8 = 4;
/// Those of keys that an operator may hand us by mistake.
const ED25519: u8 = 1;
const ML_DSA_44: u8 = 6;
/// How far a witness' clock may be from ours.
const CLOCKS: TimeDelta = TimeDelta::minutes(10);
/// The bytes of a cosignature: its time, big-endian, and an Ed25519 signature.
const TIME: usize = 8;
const SIGNATURE: usize = 64;

/// Who cosigns: a witness' name and key. As text a verifier key of signed-note, `<name>+<id>+<base64>`, of the type 0x04.
///
/// Only of that type: what tlog-witness has a witness answer with are cosignatures, and a log's own signatures (0x01) state no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: u32,
    key: PublicKey,
}

/// Why a text is not a [`WitnessKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAWitnessKey {
    /// Not three parts, or parts of another form.
    #[error("is not a verifier key, `<name>+<8 hexadecimal digits>+<base64>`")]
    Form,
    /// The digits are not those of this name and key: one of the three was mistyped.
    #[error("has an id that is not its name's and key's: a character was lost or changed")]
    Id,
    /// The type 0x01.
    #[error("is a log's key (type 0x01), not a witness': ask for the one of type 0x04, for cosignatures")]
    LogKey,
    /// The type 0x06.
    #[error("is an ML-DSA-44 key (type 0x06), which is not supported: ask for the Ed25519 one, of type 0x04")]
    MlDsa,
    /// A type that no witness has.
    #[error("is of the type {0:#04x}; a witness' key is of the type 0x04")]
    Type(u8),
    /// The bytes are no key that can be used.
    #[error("holds 32 bytes that are no usable point on the Ed25519 curve, or not 32 bytes")]
    Point,
}

/// A witness' word for a checkpoint, verified: there is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    line: String,
    at: Timestamp,
}

/// Why a line is not a witness' word for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// No signature line of signed-note.
    #[error("the line is not `— <name> <base64>`")]
    Form,
    /// Of another key. Those are to be ignored.
    #[error("the line is of another key")]
    OtherKey,
    /// Of the key, and not of a cosignature's length.
    #[error("the signature is not of the length that a cosignature has")]
    Length,
    /// Of the key, and false.
    #[error("the cosignature does not verify: it is of another checkpoint, or was changed")]
    Signature,
    /// A time past the year 262142, which is no time.
    #[error("the cosignature's time is not one")]
    Time,
    /// None of the lines is of the key.
    #[error("none of the lines is of the witness' key")]
    Absent,
}

impl WitnessKey {
    /// The key of the witness called `name`.
    ///
    /// # Errors
    /// A name that is empty or holds a space, a control character or `+`.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, NotAWitnessKey> {
        if !is_key_name_valid(name) || name.contains(char::is_control) {
            return Err(NotAWitnessKey::Form);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, &encoded(&key)), key })
    }

    /// What the witness is called; not a place where it can be reached.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells keys of one name apart: the first four bytes of SHA-256 over name, type and key.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Name and id, as [its lines](Cosignature::line) have them: what its cosignatures are kept under.
    pub fn signer(&self) -> String {
        format!("{}+{:08x}", self.name, self.id)
    }

    /// The key itself. Whoever has two of one key has one witness, whatever their names.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Verifies `line`, without its newline, on the checkpoint whose text is `body`: all that stands before the empty line, with its last newline.
    ///
    /// The time is what the witness says: [`Cosignature::is_of`] judges it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, body: &str, line: &str) -> Result<Cosignature, NotCosigned> {
        let signature = Signature::from_bytes(line.as_bytes()).map_err(|_| NotCosigned::Form)?;
        if (signature.name(), signature.id()) != (&self.name, self.id) {
            return Err(NotCosigned::OtherKey);
        }
        let (time, bytes) = signature.signature().split_first_chunk::<TIME>().ok_or(NotCosigned::Length)?;
        if bytes.len() != SIGNATURE {
            return Err(NotCosigned::Length);
        }
        let seconds = u64::from_be_bytes(*time);
        if !self.key.verifies(message(seconds, body).as_bytes(), bytes) {
            return Err(NotCosigned::Signature);
        }
        let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
        Ok(Cosignature { line: line.to_owned(), at: at.ok_or(NotCosigned::Time)? })
    }

    /// The witness' word among the lines it answered with, or among those of a note. Lines of other keys are ignored, as tlog-witness demands.
    ///
    /// # Errors
    /// No line of the key, or one that does not verify.
    pub fn find<'a>(&self, body: &str, lines: impl IntoIterator<Item = &'a str>) -> Result<Cosignature, NotCosigned> {
        let known = |found: &Result<_, _>| !matches!(found, Err(NotCosigned::OtherKey | NotCosigned::Form));
        lines.into_iter().map(|line| self.verify(body, line)).find(known).unwrap_or(Err(NotCosigned::Absent))
    }
}

impl FromStr for WitnessKey {
    type Err = NotAWitnessKey;

    fn from_str(text: &str) -> Result<Self, NotAWitnessKey> {
        // Base64 may hold `+` as well.
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

impl Cosignature {
    /// The line, without its newline.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Whether the witness' clock, when it signed, was within ten minutes of what is now. A cosignature states when a tree was seen: one of another time would state
    /// that falsely for ever.
    pub fn is_of(&self, now: Timestamp) -> bool {
        (now - self.at).abs() <= CLOCKS
    }

    /// When the witness says that it saw the checkpoint: nothing larger was then known to it. To the second.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// The text that the signatures of a note are over: all before its last empty line, with the last newline. `None` when it has no such line.
pub fn body(note: &str) -> Option<&str> {
    note.rfind("\n\n").map(|end| &note[..=end])
}

/// The signature lines of a note, without their newlines.
pub fn lines(note: &str) -> impl Iterator<Item = &str> {
    note.rfind("\n\n").map_or("", |end| &note[end + 2..]).lines()
}

/// The signed note with more lines, which somebody has verified on its text. A line that it has already is not added, and one of a key that
/// has a line replaces it: a note has one signature of each key.
///
/// # Errors
/// A note or a line that is none: internal, since both are ours.
pub fn append<'a>(note: &str, cosignatures: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let parse = |line: &str| Signature::from_bytes(line.as_bytes()).map_err(Error::internal);
    let text = body(note).ok_or_else(|| Error::internal("a note without an empty line"))?;
    let mut signatures = lines(note).map(parse).collect::<Result<Vec<_>>>()?;
    for line in cosignatures {
        let new = parse(line)?;
        match signatures.iter_mut().find(|old| (old.name(), old.id()) == (new.name(), new.id())) {
            Some(old) => *old = new,
            None => signatures.push(new),
        }
    }
    let whole = Note::new(text.as_bytes(), &signatures).map_err(Error::internal)?.to_bytes();
    // Refuses what the parts alone do not show, such as control characters.
    Note::from_bytes(&whole).map_err(Error::internal)?;
    String::from_utf8(whole).map_err(Error::internal)
}

/// What a witness signs: the checkpoint's text under two lines of its own.
fn message(seconds: u64, body: &str) -> String {
    format!("{HEADER}\ntime {seconds}\n{body}")
}

/// The key as signed-note has it, after its type.
fn encoded(key: &PublicKey) -> Vec<u8> {
    [&[COSIGNATURE_V1], key.as_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    use super::*;
    use crate::note::VaultKeys;
    use kernel::{Clock, Ids};

    const NAME: &str = "witness.example/w1";
    const ORIGIN: &str = "api.example.com/v1/vault/logs/log_1";
    const NOW: u64 = 1_679_315_147;

    /// A witness' secret half, which we never have.
    struct Cosigner(SigningKey);

    impl Cosigner {
        fn new(seed: u8) -> Self {
            Self(SigningKey::from_bytes(&[seed; 32]))
        }

        fn key(&self) -> WitnessKey {
            WitnessKey::new(NAME, PublicKey::from_bytes(self.0.verifying_key().as_bytes()).unwrap()).unwrap()
        }

        fn cosign(&self, body: &str, seconds: u64) -> String {
            let signature = self.0.sign(format!("cosignature/v1\ntime {seconds}\n{body}").as_bytes()).to_bytes();
            line(self.key().id(), &[seconds.to_be_bytes().as_slice(), &signature].concat())
        }
    }

    fn line(id: u32, signature: &[u8]) -> String {
        format!("— {NAME} {}", STANDARD.encode([id.to_be_bytes().as_slice(), signature].concat()))
    }

    /// A checkpoint as the vault signs it.
    fn checkpoint(size: u64) -> String {
        let keys = VaultKeys::generate(&Ids::seeded(Clock::system(), 1));
        keys.sign(ORIGIN, size, tlog_tiles::Hash([9; 32])).unwrap()
    }

    #[test]
    fn a_key_reads_as_it_is_written() {
        let key = Cosigner::new(1).key();
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key.clone()));
        assert!(text.starts_with(&format!("{NAME}+{:08x}+B", key.id())), "{text}");
    }

    #[test]
    fn what_is_no_key_of_a_witness_is_refused_by_reason() {
        let key = Cosigner::new(1).key();
        let of_type = |kind: u8, key: &[u8]| {
            let material = [&[kind], key].concat();
            format!("{NAME}+{:08x}+{}", key_id(NAME, &material), STANDARD.encode(material))
        };
        let public = key.public_key().as_bytes();
        let small_order = [0_u8; 32];
        for (text, flaw) in [
            (String::new(), NotAWitnessKey::Form),
            ("witness.example".to_owned(), NotAWitnessKey::Form),
            (format!("{NAME}+00000000+"), NotAWitnessKey::Form),
            (key.to_string().replace("witness", "wit ness"), NotAWitnessKey::Form),
            (key.to_string().replace(NAME, ""), NotAWitnessKey::Form),
            (key.to_string().replace(NAME, "witness\u{1}"), NotAWitnessKey::Form),
            (format!("{key}="), NotAWitnessKey::Form),
            (key.to_string().replace(&format!("{:08x}", key.id()), &format!("{:08X}", 0xab_u32)), NotAWitnessKey::Form),
            (key.to_string().replace(&format!("{:08x}", key.id()), &format!("{:07x}", 1)), NotAWitnessKey::Form),
            (key.to_string().replace("w1", "w2"), NotAWitnessKey::Id),
            (of_type(1, public), NotAWitnessKey::LogKey),
            (of_type(6, &[0; 1312]), NotAWitnessKey::MlDsa),
            (of_type(2, public), NotAWitnessKey::Type(2)),
            (of_type(4, &public[1..]), NotAWitnessKey::Point),
            (of_type(4, &small_order), NotAWitnessKey::Point),
        ] {
            assert_eq!(text.parse::<WitnessKey>(), Err(flaw), "{text}");
        }
    }

    #[test]
    fn a_cosignature_verifies_on_its_checkpoint_alone() {
        let (note, witness) = (checkpoint(37), Cosigner::new(1));
        let body = body(&note).unwrap();
        let good = witness.cosign(body, NOW);
        let verified = witness.key().verify(body, &good).unwrap();
        assert_eq!((verified.line(), verified.at().timestamp()), (good.as_str(), 1_679_315_147));
        for (off, of) in [(0, true), (600, true), (-600, true), (601, false), (-601, false)] {
            assert_eq!(verified.is_of(verified.at() + TimeDelta::seconds(off)), of, "{off}");
        }
        assert!(!verified.is_of(Timestamp::MAX_UTC) && !verified.is_of(Timestamp::MIN_UTC));

        let refused = |body: &str, line: &str| witness.key().verify(body, line).unwrap_err();
        assert_eq!(refused(&checkpoint(38), &good), NotCosigned::Signature);
        assert_eq!(refused(body.trim_end(), &good), NotCosigned::Signature);
        assert_eq!(refused(body, &Cosigner::new(2).cosign(body, NOW)), NotCosigned::OtherKey);
        assert_eq!(refused(body, &good.replace("w1", "w2")), NotCosigned::OtherKey);
        assert_eq!(refused(body, &line(witness.key().id(), &[0; 71])), NotCosigned::Length);
        assert_eq!(refused(body, &line(witness.key().id(), &[0; 73])), NotCosigned::Length);
        assert_eq!(refused(body, &line(witness.key().id(), &[0; 1])), NotCosigned::Length);
        // The witness' key over the text alone, as a log signs: no cosignature.
        let plain = [NOW.to_be_bytes().as_slice(), &witness.0.sign(body.as_bytes()).to_bytes()].concat();
        assert_eq!(refused(body, &line(witness.key().id(), &plain)), NotCosigned::Signature);
        assert_eq!(refused(body, &witness.cosign(body, u64::MAX)), NotCosigned::Time);
        assert_eq!(refused(body, &witness.cosign(body, i64::MAX as u64)), NotCosigned::Time);
        let undashed = good.trim_start_matches("— ");
        for malformed in ["", "—", "— a", "- a AAAAAAAA", &format!("{good}\n"), &format!("{good}="), undashed] {
            assert_eq!(refused(body, malformed), NotCosigned::Form, "{malformed}");
        }
    }

    /// What another implementation (aics-witness 0.1.0) answered to a checkpoint of ours.
    #[test]
    fn the_cosignature_of_a_witness_by_others_verifies() {
        let note = "127.0.0.1:8080/v1/vault/logs/log_1\n1303\nxUBn6cuwvWu1NSve7ofXaMcewvBQYgURIPg53MIXj0Y=\n\n\
            — 127.0.0.1:8080/v1/vault/logs/log_1 mVv4uaKyfE4rUtbb33nRmeLNadQTqFoIGWdHAz/pQHAsS1fAWsqq37K09KvYSwhnvDbcVytuyteGJlIuLc31M2RTVwY=\n\
            — witness.example.org/w1 Uhwo3AAAAABrAYFNxSZcIj1QhbxOlwCGMCWRnF/4rNtN96HUtjz4zkZGnvwByvv6/t4xHSXFCSVskPqSXTcecE0lQ0j1sxsGDKAuBw==\n";
        let key = "witness.example.org/w1+521c28dc+BCwFIulEF75H3dzUMAFEKk9FFpIaALFyq2oOnaSbQOEr";
        let key: WitnessKey = key.parse().unwrap();
        assert_eq!(key.find(body(note).unwrap(), lines(note)).unwrap().at().timestamp(), 1_795_260_749);
        assert_eq!(append(note, lines(note)).unwrap(), note);
    }

    #[test]
    fn the_witness_line_is_found_among_others() {
        let (note, witness) = (checkpoint(37), Cosigner::new(1));
        let body = body(&note).unwrap();
        let (ours, other) = (witness.cosign(body, NOW), Cosigner::new(2).cosign(body, NOW));
        let find = |lines: &[&str]| witness.key().find(body, lines.iter().copied());
        assert_eq!(find(&["nonsense", &other, &ours]).unwrap().line(), ours);
        assert_eq!(find(&[&other]), Err(NotCosigned::Absent));
        assert_eq!(find(&[]), Err(NotCosigned::Absent));
        assert_eq!(find(&[&witness.cosign("another\n", NOW), &ours]), Err(NotCosigned::Signature));
    }

    #[test]
    fn a_note_takes_one_line_of_each_witness() {
        let (note, first, second) = (checkpoint(37), Cosigner::new(1), Cosigner::new(2));
        let text = body(&note).unwrap();
        let (old, new, other) = (first.cosign(text, NOW), first.cosign(text, NOW + 1), second.cosign(text, NOW));
        assert_eq!(append(&note, []).unwrap(), note);
        let one = append(&note, [old.as_str()]).unwrap();
        assert_eq!(one, format!("{note}{old}\n"));
        assert_eq!(append(&one, [old.as_str()]).unwrap(), one);
        let both = append(&one, [other.as_str(), new.as_str()]).unwrap();
        assert_eq!(both, format!("{note}{new}\n{other}\n"));
        assert_eq!(body(&both), Some(text));
        assert_eq!(second.key().find(text, lines(&both)).unwrap().line(), other);

        for (note, line) in
            [(note.as_str(), "no line"), ("no note", &old), ("", &old), (text, &old), (&note, "— a\u{1} AAAAAAAA")]
        {
            assert!(append(note, [line]).is_err(), "{note}{line}");
        }
    }

    proptest! {
        /// No bit of a key, a checkpoint or a cosignature can be changed unnoticed.
        #[test]
        fn no_flipped_bit_verifies(part in 0_usize..3, at: prop::sample::Index, bit in 0_u8..8, seconds in 0_u64..1 << 40) {
            let (note, witness) = (checkpoint(37), Cosigner::new(1));
            let text = body(&note).unwrap();
            let mut parts = [witness.key().to_string(), text.to_owned(), witness.cosign(text, seconds)].map(String::into_bytes);
            let at = at.index(parts[part].len());
            parts[part][at] ^= 1 << bit;
            let [key, text, line] = parts.map(String::from_utf8);
            // What is no text any more never got as far.
            if let (Ok(key), Ok(text), Ok(line)) = (key, text, line) {
                let verified = key.parse::<WitnessKey>().ok().and_then(|key| key.verify(&text, &line).ok());
                prop_assert_eq!(verified, None);
            }
        }

        #[test]
        fn any_text_is_a_key_a_line_and_a_note_or_none(text in "(\\PC|\n|\\+|— ){0,120}") {
            let _ = text.parse::<WitnessKey>();
            let _ = Cosigner::new(1).key().verify(&text, &text);
            let _ = append(&text, [text.as_str()]);
        }
    }
}
