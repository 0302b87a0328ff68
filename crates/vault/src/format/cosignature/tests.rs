//! Keys, cosignatures and notes of witnesses, whole and tampered with.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use ed25519_dalek::{Signer, SigningKey};
use kernel::{Clock, Ids, clock::Timestamp, crypto::PublicKey};
use proptest::prelude::*;
use signed_note::key_id;

use super::*;
use crate::format::note::{CheckpointSigner, VaultKeyRing};

const NAME: &str = "witness.example/w1";
const ORIGIN: &str = "api.example.com/v1/vault/logs/log_1";
const NOW: u64 = 1_679_315_147;

/// The secret half of a witness' key, which Holdfast never has.
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

/// Returns a checkpoint as the vault signs it.
fn checkpoint(size: u64) -> String {
    let ring = VaultKeyRing::generate(&Ids::seeded(Clock::system(), 1));
    CheckpointSigner::new(&ring).sign(ORIGIN, size, tlog_tiles::Hash([9; 32])).unwrap()
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
        (
            key.to_string().replace(&format!("{:08x}", key.id()), &format!("{:08X}", 0xab_u32)),
            NotAWitnessKey::Form,
        ),
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
    // The witness' key over the text alone, as a log signs: not a cosignature.
    let plain = [NOW.to_be_bytes().as_slice(), &witness.0.sign(body.as_bytes()).to_bytes()].concat();
    assert_eq!(refused(body, &line(witness.key().id(), &plain)), NotCosigned::Signature);
    assert_eq!(refused(body, &witness.cosign(body, u64::MAX)), NotCosigned::Time);
    assert_eq!(refused(body, &witness.cosign(body, i64::MAX as u64)), NotCosigned::Time);
    let undashed = good.trim_start_matches("— ");
    for malformed in ["", "—", "— a", "- a AAAAAAAA", &format!("{good}\n"), &format!("{good}="), undashed]
    {
        assert_eq!(refused(body, malformed), NotCosigned::Form, "{malformed}");
    }
}

/// Verifies the answer of another implementation (aics-witness 0.1.0) to a checkpoint of ours.
#[test]
fn the_cosignature_of_a_witness_by_others_verifies() {
    let note = "127.0.0.1:8080/v1/vault/logs/log_1\n1303\nxUBn6cuwvWu1NSve7ofXaMcewvBQYgURIPg53MIXj0Y=\n\n\
        — 127.0.0.1:8080/v1/vault/logs/log_1 \
         mVv4uaKyfE4rUtbb33nRmeLNadQTqFoIGWdHAz/pQHAsS1fAWsqq37K09KvYSwhnvDbcVytuyteGJlIuLc31M2RTVwY=\n\
        — witness.example.org/w1 \
         Uhwo3AAAAABrAYFNxSZcIj1QhbxOlwCGMCWRnF/4rNtN96HUtjz4zkZGnvwByvv6/t4xHSXFCSVskPqSXTcecE0lQ\
         0j1sxsGDKAuBw==\n";
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

    for (note, line) in [
        (note.as_str(), "no line"),
        ("no note", &old),
        ("", &old),
        (text, &old),
        (&note, "— a\u{1} AAAAAAAA"),
    ] {
        assert!(append(note, [line]).is_err(), "{note}{line}");
    }
}

proptest! {
    /// Changes one bit of a key, a checkpoint or a cosignature: none can be changed unnoticed.
    #[test]
    fn no_flipped_bit_verifies(
        part in 0_usize..3,
        at: prop::sample::Index,
        bit in 0_u8..8,
        seconds in 0_u64..1 << 40,
    ) {
        let (note, witness) = (checkpoint(37), Cosigner::new(1));
        let text = body(&note).unwrap();
        let parts = [witness.key().to_string(), text.to_owned(), witness.cosign(text, seconds)];
        let mut parts = parts.map(String::into_bytes);
        let at = at.index(parts[part].len());
        parts[part][at] ^= 1 << bit;
        let [key, text, line] = parts.map(String::from_utf8);
        // A note or line that is no longer text does not get this far.
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
