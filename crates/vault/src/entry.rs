//! A seal on its way in: checked, and written as the bytes that are hashed.
//!
//! An entry is one canonical JSON object (RFC 8785). Its members stand in this order, so that only `at`, a proposal's `expires_at` and `index`, which are
//! known under the log's lock alone, are put between two parts that were made before:
//!
//! ```text
//! {"actor":…,"at":…,"expires_at":…,"index":…,"kind":…,"payload":…,"personal_sha256":…,"session_id":…,"subject":…,"tags":[…],"verdict":…}
//! ```

use std::{fmt, str::FromStr};

use chrono::{SecondsFormat, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{json, personal::Personal};
use kernel::{
    Ids,
    caller::Actor,
    checks::Checks,
    clock::Timestamp,
    error::{Code, Error, Result},
};

/// The most bytes of a payload, and of personal data, in canonical form.
pub const MAX_PAYLOAD: usize = 48 * 1024;
/// What an entry can have at most: C2SP tlog-tiles writes its length in two bytes.
pub const MAX_ENTRY: usize = u16::MAX as usize;
const MAX_TAGS: usize = 16;
/// How long a proposal may wait, in seconds: a minute to 30 days.
const PROPOSAL_SECONDS: std::ops::RangeInclusive<i64> = 60..=30 * 24 * 3600;
const DEFAULT_PROPOSAL: TimeDelta = TimeDelta::days(7);
/// Kinds by which Holdfast says what it did. Whoever reads a log takes them at their word, so nobody else's seal may have one.
const OURS: [&str; 5] =
    ["proposal.approved", "proposal.rejected", "proposal.expired", "subject.erased", super::audit::KIND];

/// What a seal says of what it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It is so.
    Seal,
    /// It waits for a person: a proposal.
    Hold,
    /// It is not so, or no longer.
    Void,
    /// It was allowed.
    Allow,
    /// It was denied.
    Deny,
}

impl Verdict {
    /// Every verdict there is.
    pub const ALL: [Verdict; 5] = [Verdict::Seal, Verdict::Hold, Verdict::Void, Verdict::Allow, Verdict::Deny];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Seal => "SEAL",
            Verdict::Hold => "HOLD",
            Verdict::Void => "VOID",
            Verdict::Allow => "ALLOW",
            Verdict::Deny => "DENY",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = kernel::caller::UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or(kernel::caller::UnknownName)
    }
}

/// What a caller asks to be sealed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeal {
    /// What kind of thing it records, in the product's own vocabulary. `proposal.approved`, `proposal.rejected`, `proposal.expired`,
    /// `subject.erased` and `audit.digested` are Holdfast's own.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "payment.decision"
    )]
    pub kind: String,
    /// What it says of it. `HOLD` makes it a proposal that waits for a person.
    pub verdict: Verdict,
    /// Any JSON, of at most 49,152 bytes, that all readers read alike: no key twice, no number beyond ±(2^53 − 1). Everybody who knows the log can read
    /// it, for ever: what must be erasable goes into `personal`.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The conversation or run it belongs to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    pub session_id: Option<String>,
    /// Whom or what it concerns, by a pseudonym; not `.` or `..`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128, pattern = "^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    pub subject: Option<String>,
    /// Words to find it by, none twice.
    #[serde(default)]
    #[schema(max_items = 16, value_type = Vec<Tag>)]
    pub tags: Vec<String>,
    /// Any JSON about the subject that can be erased: kept encrypted, and in the entry only as a salted digest.
    #[serde(default)]
    #[schema(value_type = Option<serde_json::Value>)]
    pub personal: Option<Box<RawValue>>,
    /// How long a proposal waits before it is void, in seconds; 7 days when left out. Only with the verdict `HOLD`.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2_592_000)]
    pub expires_in_seconds: Option<i64>,
    /// Append only if the log has so many entries: then nothing was sealed in between. Not for one of several.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_099_511_627_776_u64)]
    pub expected_size: Option<u64>,
}

/// A word that seals are found by.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
#[expect(dead_code, reason = "only its schema is wanted")]
pub struct Tag(String);

/// A validated seal, serialised except for `index`, `at` and `expires_at`, which are known only under the lock.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) actor: String,
    pub(super) kind: String,
    pub(super) verdict: Verdict,
    pub(super) session_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) personal: Option<Personal>,
    /// How long a proposal waits; none for what is no proposal.
    waits: Option<TimeDelta>,
    /// The entry from `,"kind":` on.
    tail: Vec<u8>,
}

impl Draft {
    /// # Errors
    /// Values that break a rule, each by its place under `at`.
    pub(super) fn check(ids: &Ids, actor: Actor, seal: &NewSeal, at: &str) -> Result<Self> {
        let mut checks = Checks::new();
        let place = |field: &str| format!("{at}/{field}");
        checks.line(&place("kind"), &seal.kind, 1..=64);
        if OURS.contains(&seal.kind.as_str()) {
            checks.broken(Code::ValidationFailed, place("kind"), "is a kind that Holdfast alone seals");
        }
        if let Some(session) = &seal.session_id {
            checks.line(&place("session_id"), session, 1..=128);
        }
        if let Some(subject) = &seal.subject {
            checks.line(&place("subject"), subject, 1..=128);
            if [".", ".."].contains(&subject.as_str()) {
                // The route that erases a subject has it in its path, where clients take these for something else.
                checks.broken(Code::ValidationFailed, place("subject"), "must not be `.` or `..`");
            }
        }
        checks.count(&place("tags"), seal.tags.len(), MAX_TAGS);
        for (n, tag) in seal.tags.iter().enumerate().take(MAX_TAGS) {
            checks.line(&format!("{at}/tags/{n}"), tag, 1..=64);
            if seal.tags.iter().take(n).any(|earlier| earlier == tag) {
                checks.broken(Code::ValidationFailed, format!("{at}/tags/{n}"), "stands there twice");
            }
        }
        let payload = canonical(&mut checks, &place("payload"), &seal.payload)?;
        let personal = match &seal.personal {
            Some(text) => canonical(&mut checks, &place("personal"), text)?,
            None => None,
        };
        if seal.personal.is_some() && seal.subject.is_none() {
            checks.broken(
                Code::MissingField,
                place("subject"),
                "is required with `personal`: it says whose data it is",
            );
        }
        let waits = match (seal.verdict, seal.expires_in_seconds) {
            (Verdict::Hold, None) => Some(DEFAULT_PROPOSAL),
            (Verdict::Hold, Some(seconds)) if PROPOSAL_SECONDS.contains(&seconds) => Some(TimeDelta::seconds(seconds)),
            (Verdict::Hold, Some(_)) => {
                let detail = format!("must be {} to {}", PROPOSAL_SECONDS.start(), PROPOSAL_SECONDS.end());
                checks.broken(Code::TtlOutOfRange, place("expires_in_seconds"), detail);
                None
            }
            (_, Some(_)) => {
                let detail = "is for proposals, whose verdict is HOLD";
                checks.broken(Code::ValidationFailed, place("expires_in_seconds"), detail);
                None
            }
            (_, None) => None,
        };
        checks.finish()?;
        let draft = Self {
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
        draft.written(&payload.ok_or_else(|| Error::internal("a payload passed the checks and is not there"))?)
    }

    /// A seal that Holdfast makes itself, or for `actor`, whose `payload` is canonical.
    ///
    /// # Errors
    /// None but a fault of ours.
    pub(super) fn own(
        actor: Actor,
        kind: &str,
        verdict: Verdict,
        (session_id, subject): (Option<String>, Option<String>),
        payload: &[u8],
    ) -> Result<Self> {
        let draft = Self {
            actor: actor.to_string(),
            kind: kind.to_owned(),
            verdict,
            session_id,
            subject,
            tags: Vec::new(),
            personal: None,
            waits: None,
            tail: Vec::new(),
        };
        draft.written(payload)
    }

    fn written(mut self, payload: &[u8]) -> Result<Self> {
        if payload.is_empty() {
            return Err(Error::internal("a payload is no JSON"));
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

    /// The bytes that are hashed.
    ///
    /// # Errors
    /// None but a fault of ours.
    pub(super) fn entry(&self, index: u64, at: Timestamp) -> Result<Vec<u8>> {
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

    /// Until when it can be decided, if it is sealed at `at`; none for what is no proposal.
    pub(super) fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.waits.map(|waits| at + waits)
    }

    /// How much there is to hold in memory.
    pub(super) fn bytes(&self) -> usize {
        self.tail.len() + self.personal.as_ref().map_or(0, Personal::bytes)
    }
}

/// A value whose parts are in canonical order: for text, serde writes what RFC 8785 wants.
fn push<T: Serialize>(bytes: &mut Vec<u8>, value: &T) -> Result<()> {
    serde_json::to_writer(bytes, value).map_err(Error::internal)
}

/// The canonical form of what a caller sent; or a note of what is wrong with it.
fn canonical(checks: &mut Checks, place: &str, text: &RawValue) -> Result<Option<Vec<u8>>> {
    let Some(value) = checks.keep(place, Code::AmbiguousJson, json::parse(text.get().as_bytes())) else {
        return Ok(None);
    };
    let bytes = json::canonical(&value)?;
    if bytes.len() > MAX_PAYLOAD {
        let detail = format!("may have at most {MAX_PAYLOAD} bytes of JSON, has {}", bytes.len());
        checks.broken(Code::TooLong, place, detail);
        return Ok(None);
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use kernel::Clock;

    fn seal(text: &str) -> Result<Draft> {
        let ids = Ids::seeded(Clock::system(), 3);
        Draft::check(&ids, Actor::System, &serde_json::from_str(text).unwrap(), "")
    }

    #[test]
    fn an_entry_is_canonical() {
        let draft = seal(
            r#"{"kind": "a.\"b", "verdict": "HOLD", "payload": {"z": 1.50, "a": [1e2, "\u00e9\u000f/"]}, "session_id": "s€😀",
                "subject": "someone", "tags": ["z", "a"], "personal": {"name": "Ada"}}"#,
        );
        let entry = draft.unwrap().entry(7, DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(json::canonical(&json::parse(&entry).unwrap()).unwrap(), entry);
        let text = String::from_utf8(entry).unwrap();
        let start = r#"{"actor":"system","at":"1970-01-01T00:00:00.000000Z","expires_at":"1970-01-08T00:00:00.000000Z","index":7,"kind":"a.\"b","payload":{"a":[100,"é\u000f/"],"z":1.5},"personal_sha256":""#;
        assert!(text.starts_with(start), "{text}");
        assert!(
            text.ends_with(r#"","session_id":"s€😀","subject":"someone","tags":["z","a"],"verdict":"HOLD"}"#),
            "{text}"
        );
        assert!(!text.contains("Ada"));
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let wide = format!("{{{}}}", (0..5_000).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
        let tags = (0..17).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
        let large = format!("\"{}\"", "x".repeat(MAX_PAYLOAD));
        let base = |members: &str| format!(r#"{{"kind":"k","verdict":"SEAL",{members}}}"#);
        for (text, code, pointer) in [
            (base(r#""payload":{"a":1,"a":2}"#), Code::AmbiguousJson, "/payload"),
            (base(r#""payload":9007199254740993"#), Code::AmbiguousJson, "/payload"),
            (base(&format!(r#""payload":{deep}"#)), Code::AmbiguousJson, "/payload"),
            (base(&format!(r#""payload":{wide}"#)), Code::AmbiguousJson, "/payload"),
            (base(&format!(r#""payload":{large}"#)), Code::TooLong, "/payload"),
            (base(r#""payload":1,"personal":{"b":1,"b":1},"subject":"s""#), Code::AmbiguousJson, "/personal"),
            (base(r#""payload":1,"personal":1"#), Code::MissingField, "/subject"),
            (base(r#""payload":1,"tags":["a","a"]"#), Code::ValidationFailed, "/tags/1"),
            (base(&format!(r#""payload":1,"tags":[{tags}]"#)), Code::TooLong, "/tags"),
            (base(r#""payload":1,"session_id":"a\u0000""#), Code::NulByte, "/session_id"),
            (base(r#""payload":1,"subject":"a\nb""#), Code::ControlCharacter, "/subject"),
            (base(r#""payload":1,"subject":"..""#), Code::ValidationFailed, "/subject"),
            (base(r#""payload":1,"expires_in_seconds":60"#), Code::ValidationFailed, "/expires_in_seconds"),
            (
                r#"{"kind":"proposal.approved","verdict":"SEAL","payload":1}"#.to_owned(),
                Code::ValidationFailed,
                "/kind",
            ),
            (r#"{"kind":"","verdict":"SEAL","payload":1}"#.to_owned(), Code::TooShort, "/kind"),
            (
                r#"{"kind":"k","verdict":"HOLD","payload":1,"expires_in_seconds":59}"#.to_owned(),
                Code::TtlOutOfRange,
                "/expires_in_seconds",
            ),
        ] {
            let error = seal(&text).unwrap_err();
            let first = &error.field_errors()[0];
            assert_eq!((first.code, first.pointer.as_str()), (code, pointer), "{}", &text[..text.len().min(80)]);
        }
    }

    proptest! {
        /// Whatever is taken is canonical, and small enough for a bundle of entries.
        #[test]
        fn every_entry_is_canonical(kind in "\\PC{1,64}", session in "\\PC{1,128}", tags in prop::collection::hash_set("\\PC{1,64}", 0..16),
                                    payload in "[a-z0-9\\\\/\"u€]{0,40}") {
            let text = serde_json::json!({"kind": kind, "verdict": "DENY", "payload": {"text": payload}, "session_id": session, "tags": tags});
            if let Ok(draft) = seal(&text.to_string()) {
                let entry = draft.entry(u64::from(u32::MAX), DateTime::UNIX_EPOCH).unwrap();
                prop_assert_eq!(json::canonical(&json::parse(&entry).unwrap()).unwrap(), entry);
            }
        }
    }
}
