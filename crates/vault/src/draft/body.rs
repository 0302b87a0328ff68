//! Writing an entry.

use chrono::{SecondsFormat, TimeDelta};
use kernel::{
    caller::Actor,
    clock::Timestamp,
    error::{Error, Result},
};
use serde::Serialize;

use crate::{
    model::{MAX_ENTRY, Verdict},
    personal::Personal,
};

/// A seal that passed the checks, serialized except for `index`, `at` and `expires_at`, which are
/// known under the lock alone.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) actor: String,
    pub(crate) kind: String,
    pub(crate) verdict: Verdict,
    pub(crate) session_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) personal: Option<Personal>,
    /// The time that a proposal waits; `None` for other seals.
    pub(super) waits: Option<TimeDelta>,
    /// The entry from `,"kind":` on.
    pub(super) tail: Vec<u8>,
}

/// A seal that Holdfast makes itself, or on behalf of `actor`.
pub(crate) struct OwnSeal<'a> {
    pub(crate) actor: Actor,
    pub(crate) kind: &'a str,
    pub(crate) verdict: Verdict,
    pub(crate) session_id: Option<String>,
    pub(crate) subject: Option<String>,
}

impl Draft {
    /// Writes a seal of Holdfast's own, whose `payload` is canonical.
    ///
    /// # Errors
    /// `Internal` when the payload is empty.
    pub(crate) fn own(seal: OwnSeal<'_>, payload: &[u8]) -> Result<Self> {
        let draft = Self {
            actor: seal.actor.to_string(),
            kind: seal.kind.to_owned(),
            verdict: seal.verdict,
            session_id: seal.session_id,
            subject: seal.subject,
            tags: Vec::new(),
            personal: None,
            waits: None,
            tail: Vec::new(),
        };
        draft.with_payload(payload)
    }

    /// Writes the part of the entry that does not depend on its place in the log.
    pub(super) fn with_payload(mut self, payload: &[u8]) -> Result<Self> {
        if payload.is_empty() {
            return Err(Error::internal("a payload is not JSON"));
        }
        let mut tail = Vec::with_capacity(payload.len() + 256);
        tail.extend_from_slice(b",\"kind\":");
        push(&mut tail, &self.kind)?;
        tail.extend_from_slice(b",\"payload\":");
        tail.extend_from_slice(payload);
        if let Some(personal) = &self.personal {
            tail.extend_from_slice(b",\"personal_sha256\":");
            push(&mut tail, &personal.commitment())?;
        }
        for (name, text) in [("session_id", &self.session_id), ("subject", &self.subject)] {
            if let Some(text) = text {
                tail.extend_from_slice(format!(",\"{name}\":").as_bytes());
                push(&mut tail, text)?;
            }
        }
        if !self.tags.is_empty() {
            tail.extend_from_slice(b",\"tags\":");
            push(&mut tail, &self.tags)?;
        }
        tail.extend_from_slice(b",\"verdict\":");
        push(&mut tail, &self.verdict)?;
        tail.push(b'}');
        self.tail = tail;
        Ok(self)
    }

    /// Returns the bytes that are hashed.
    ///
    /// # Errors
    /// `Internal` when they are more than [`MAX_ENTRY`], which the checks rule out.
    pub(crate) fn entry(&self, index: u64, at: Timestamp) -> Result<Vec<u8>> {
        let mut entry = Vec::with_capacity(self.tail.len() + 128);
        entry.extend_from_slice(b"{\"actor\":");
        push(&mut entry, &self.actor)?;
        let time = |time: Timestamp| time.to_rfc3339_opts(SecondsFormat::Micros, true);
        entry.extend_from_slice(format!(",\"at\":\"{}\"", time(at)).as_bytes());
        if let Some(expires_at) = self.expires_at(at) {
            entry.extend_from_slice(format!(",\"expires_at\":\"{}\"", time(expires_at)).as_bytes());
        }
        entry.extend_from_slice(format!(",\"index\":{index}").as_bytes());
        entry.extend_from_slice(&self.tail);
        if entry.len() > MAX_ENTRY {
            return Err(Error::internal(format!("an entry of {} bytes passed the checks", entry.len())));
        }
        Ok(entry)
    }

    /// Returns the time until which it can be decided if it is sealed at `at`; `None` unless it is
    /// a proposal.
    pub(crate) fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.waits.map(|waits| at + waits)
    }

    /// Returns the bytes of memory that it takes while it waits.
    pub(crate) fn bytes(&self) -> usize {
        self.tail.len() + self.personal.as_ref().map_or(0, Personal::bytes)
    }
}

/// Writes a value whose parts are in canonical order: serde writes text as RFC 8785 requires.
fn push<T: Serialize>(bytes: &mut Vec<u8>, value: &T) -> Result<()> {
    serde_json::to_writer(bytes, value).map_err(Error::internal)
}
