//! Verification of a witness' signature.

use chrono::TimeDelta;
use kernel::clock::Timestamp;
use signed_note::Signature;

use super::witness_key::WitnessKey;

/// Begins the text that a cosignature is over, so that it cannot pass for another kind of
/// signature.
const HEADER: &str = "cosignature/v1";
/// The largest difference between a witness' clock and ours.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);
/// The bytes of a cosignature: its time, big-endian, and an Ed25519 signature.
const TIME: usize = 8;
const SIGNATURE: usize = 64;

/// A verified cosignature of a checkpoint. [`WitnessKey::verify`] and [`WitnessKey::find`] alone
/// make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    line: String,
    at: Timestamp,
}

/// The reason why a line is not a witness' cosignature of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// It is not a signature line of signed-note.
    #[error("the line is not `— <name> <base64>`")]
    Form,
    /// It was made by another key. Such lines are to be ignored.
    #[error("the line was made by another key")]
    OtherKey,
    /// The signature does not have the length of a cosignature.
    #[error("the signature does not have the length of a cosignature")]
    Length,
    /// The signature does not verify.
    #[error("the cosignature does not verify: it belongs to another checkpoint, or was changed")]
    Signature,
    /// The time lies beyond the year 262142.
    #[error("the cosignature's time is out of range")]
    Time,
    /// No line was made by the key.
    #[error("no line was made by the witness' key")]
    Absent,
}

impl WitnessKey {
    /// Verifies `line`, without its newline, on the checkpoint whose text is `body`: everything
    /// before the empty line, with its last newline.
    ///
    /// The time is the witness' own claim: [`Cosignature::is_of`] checks it.
    ///
    /// # Errors
    /// The first reason, as [`NotCosigned`].
    pub fn verify(&self, body: &str, line: &str) -> Result<Cosignature, NotCosigned> {
        let signature = Signature::from_bytes(line.as_bytes()).map_err(|_| NotCosigned::Form)?;
        if (signature.name(), signature.id()) != (self.name(), self.id()) {
            return Err(NotCosigned::OtherKey);
        }
        let (time, bytes) = signature.signature().split_first_chunk::<TIME>().ok_or(NotCosigned::Length)?;
        if bytes.len() != SIGNATURE {
            return Err(NotCosigned::Length);
        }
        let seconds = u64::from_be_bytes(*time);
        if !self.public_key().verifies(message(seconds, body).as_bytes(), bytes) {
            return Err(NotCosigned::Signature);
        }
        let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
        Ok(Cosignature { line: line.to_owned(), at: at.ok_or(NotCosigned::Time)? })
    }

    /// Finds and verifies the witness' line among those it answered with, or those of a note. Lines
    /// of other keys are ignored, as tlog-witness demands.
    ///
    /// # Errors
    /// [`NotCosigned::Absent`], or the reason why the key's first line does not verify.
    pub fn find<'a>(
        &self,
        body: &str,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Cosignature, NotCosigned> {
        let is_ours = |found: &Result<_, _>| !matches!(found, Err(NotCosigned::OtherKey | NotCosigned::Form));
        let mut verified = lines.into_iter().map(|line| self.verify(body, line));
        verified.find(is_ours).unwrap_or(Err(NotCosigned::Absent))
    }
}

impl Cosignature {
    /// Returns the line, without its newline.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Returns true when the witness' clock, when it signed, was within ten minutes of `now`. A
    /// cosignature states when a tree was seen: one with a wrong time would state that falsely
    /// forever.
    pub fn is_of(&self, now: Timestamp) -> bool {
        (now - self.at).abs() <= MAX_CLOCK_SKEW
    }

    /// Returns when the witness saw the checkpoint, by its own claim, to the second. It then knew
    /// of nothing larger.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// Returns the text that a witness signs: the checkpoint's text under two lines of its own.
fn message(seconds: u64, body: &str) -> String {
    format!("{HEADER}\ntime {seconds}\n{body}")
}
