//! Entries are canonical, and broken rules are named.

use chrono::DateTime;
use kernel::{Clock, Code, Ids, Result, caller::Actor};
use proptest::prelude::*;

use super::*;
use crate::{format::json, model::MAX_PAYLOAD};

fn seal(text: &str) -> Result<Draft> {
    let ids = Ids::seeded(Clock::system(), 3);
    check(&ids, Actor::System, &serde_json::from_str(text).unwrap(), "")
}

#[test]
fn an_entry_is_canonical() {
    let draft = seal(
        r#"{"kind": "a.\"b", "verdict": "HOLD", "payload": {"z": 1.50, "a": [1e2, "\u00e9\u000f/"]},
            "session_id": "s€😀", "subject": "someone", "tags": ["z", "a"], "personal": {"name": "Ada"}}"#,
    );
    let entry = draft.unwrap().entry(7, DateTime::UNIX_EPOCH).unwrap();
    assert_eq!(json::canonical(&json::parse(&entry).unwrap()).unwrap(), entry);
    let text = String::from_utf8(entry).unwrap();
    let start = concat!(
        r#"{"actor":"system","at":"1970-01-01T00:00:00.000000Z","expires_at":"1970-01-08T00:00:00.000000Z","#,
        r#""index":7,"kind":"a.\"b","payload":{"a":[100,"é\u000f/"],"z":1.5},"personal_sha256":""#,
    );
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
    /// Every seal that passes the checks is canonical, and small enough for a bundle of entries.
    #[test]
    fn every_entry_is_canonical(
        kind in "\\PC{1,64}",
        session in "\\PC{1,128}",
        tags in prop::collection::hash_set("\\PC{1,64}", 0..16),
        payload in "[a-z0-9\\\\/\"u€]{0,40}",
    ) {
        let payload = serde_json::json!({"text": payload});
        let text = serde_json::json!({
            "kind": kind, "verdict": "DENY", "payload": payload, "session_id": session, "tags": tags,
        });
        if let Ok(draft) = seal(&text.to_string()) {
            let entry = draft.entry(u64::from(u32::MAX), DateTime::UNIX_EPOCH).unwrap();
            prop_assert_eq!(json::canonical(&json::parse(&entry).unwrap()).unwrap(), entry);
        }
    }
}
