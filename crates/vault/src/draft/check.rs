//! The rules for a seal that a caller sends.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use kernel::{
    Ids,
    caller::Actor,
    checks::Checks,
    error::{Code, Error, Result},
};
use serde_json::value::RawValue;

use super::body::Draft;
use crate::{
    format::json,
    model::{AuditDigest, Decision, MAX_PAYLOAD, NewSeal, SUBJECT_ERASED, Verdict},
    personal::Personal,
};

const MAX_TAGS: usize = 16;
/// The time that a proposal may wait, in seconds: a minute to 30 days.
const PROPOSAL_SECONDS: RangeInclusive<i64> = 60..=30 * 24 * 3600;
const DEFAULT_PROPOSAL: TimeDelta = TimeDelta::days(7);
/// The kinds of Holdfast's own statements. Readers of a log rely on them, so no caller's seal may
/// have one.
const RESERVED_KINDS: [&str; 5] = [
    Decision::Approved.kind(),
    Decision::Rejected.kind(),
    Decision::Expired.kind(),
    SUBJECT_ERASED,
    AuditDigest::KIND,
];

/// Checks a seal that `actor` sends; `at` is the pointer to it in the body.
///
/// # Errors
/// Every broken rule by its place: [`Code::AmbiguousJson`], [`Code::ControlCharacter`],
/// [`Code::MissingField`], [`Code::NulByte`], [`Code::TooLong`], [`Code::TooShort`],
/// [`Code::TtlOutOfRange`], [`Code::ValidationFailed`].
pub(crate) fn check(ids: &Ids, actor: Actor, seal: &NewSeal, at: &str) -> Result<Draft> {
    let mut checks = Checks::new();
    let place = |field: &str| format!("{at}/{field}");
    check_texts(&mut checks, seal, at);
    check_tags(&mut checks, &seal.tags, at);
    let payload = canonical(&mut checks, &place("payload"), &seal.payload)?;
    let personal = match &seal.personal {
        Some(text) => canonical(&mut checks, &place("personal"), text)?,
        None => None,
    };
    if seal.personal.is_some() && seal.subject.is_none() {
        let detail = "is required with `personal`: it says whose data it is";
        checks.broken(Code::MissingField, place("subject"), detail);
    }
    let waits = check_wait(&mut checks, seal, &place("expires_in_seconds"));
    checks.finish()?;
    let draft = Draft {
        actor: actor.to_string(),
        kind: seal.kind.clone(),
        verdict: seal.verdict,
        session_id: seal.session_id.clone(),
        subject: seal.subject.clone(),
        tags: seal.tags.clone(),
        personal: personal.map(|text| Personal::new(ids, text)),
        waits,
        tail: Vec::new(),
    };
    draft.with_payload(&payload.ok_or_else(|| Error::internal("a payload passed the checks and is missing"))?)
}

fn check_texts(checks: &mut Checks, seal: &NewSeal, at: &str) {
    checks.line(&format!("{at}/kind"), &seal.kind, 1..=64);
    if RESERVED_KINDS.contains(&seal.kind.as_str()) {
        checks.broken(Code::ValidationFailed, format!("{at}/kind"), "is reserved for Holdfast");
    }
    if let Some(session) = &seal.session_id {
        checks.line(&format!("{at}/session_id"), session, 1..=128);
    }
    if let Some(subject) = &seal.subject {
        let place = format!("{at}/subject");
        checks.line(&place, subject, 1..=128);
        if [".", ".."].contains(&subject.as_str()) {
            // The route that erases a subject has it in its path, which clients normalize.
            checks.broken(Code::ValidationFailed, place, "must not be `.` or `..`");
        }
    }
}

fn check_tags(checks: &mut Checks, tags: &[String], at: &str) {
    checks.count(&format!("{at}/tags"), tags.len(), MAX_TAGS);
    for (n, tag) in tags.iter().enumerate().take(MAX_TAGS) {
        checks.line(&format!("{at}/tags/{n}"), tag, 1..=64);
        if tags.iter().take(n).any(|earlier| earlier == tag) {
            checks.broken(Code::ValidationFailed, format!("{at}/tags/{n}"), "is listed twice");
        }
    }
}

/// Returns the time that a proposal waits; `None` for other seals.
fn check_wait(checks: &mut Checks, seal: &NewSeal, place: &str) -> Option<TimeDelta> {
    match (seal.verdict, seal.expires_in_seconds) {
        (Verdict::Hold, None) => Some(DEFAULT_PROPOSAL),
        (Verdict::Hold, Some(seconds)) if PROPOSAL_SECONDS.contains(&seconds) => {
            Some(TimeDelta::seconds(seconds))
        }
        (Verdict::Hold, Some(seconds)) => {
            let (min, max) = (PROPOSAL_SECONDS.start(), PROPOSAL_SECONDS.end());
            checks.broken(Code::TtlOutOfRange, place, format!("must be {min} to {max}, was {seconds}"));
            None
        }
        (_, Some(_)) => {
            let detail = "is only for proposals, whose verdict is HOLD";
            checks.broken(Code::ValidationFailed, place, detail);
            None
        }
        (_, None) => None,
    }
}

/// Returns the canonical form of a caller's JSON, or records what is wrong with it.
fn canonical(checks: &mut Checks, place: &str, text: &RawValue) -> Result<Option<Vec<u8>>> {
    let parsed = json::parse(text.get().as_bytes());
    let Some(value) = checks.keep(place, Code::AmbiguousJson, parsed) else { return Ok(None) };
    let bytes = json::canonical(&value)?;
    if bytes.len() > MAX_PAYLOAD {
        let detail = format!("may have at most {MAX_PAYLOAD} bytes of JSON, has {}", bytes.len());
        checks.broken(Code::TooLong, place, detail);
        return Ok(None);
    }
    Ok(Some(bytes))
}
