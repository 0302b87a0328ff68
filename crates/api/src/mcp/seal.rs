//! `vault_seal`: appends one seal.

use kernel::{
    Code, Error, Result,
    caller::{HasRequest, IdempotencyKey, allow},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use utoipa::ToSchema;
use vault::{NewSeal, Tag, Verdict, format::json};

use super::call::Call;
use crate::{
    auth::{MAX_KEY, is_idempotency_key},
    state::AppState,
};

/// The arguments: those of [`NewSeal`], and the key that is a header elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SealArguments {
    /// The kind of thing that it records, in the product's own vocabulary, such as
    /// `payment.decision`.
    #[schema(min_length = 1, max_length = 64)]
    kind: String,
    /// The statement about that thing: `SEAL` it is so, `ALLOW` it was allowed, `DENY` it was
    /// denied, `VOID` it is not so or no longer, `HOLD` it waits for a person to approve or reject
    /// it.
    verdict: Verdict,
    /// The record: any JSON, of at most 49,152 bytes. No key twice, no number beyond
    /// ±9007199254740991 (send it as a string). Everybody who knows the log can read it, forever:
    /// put nothing personal and no secret into it.
    #[schema(value_type = serde_json::Value)]
    payload: Box<RawValue>,
    /// The conversation or run that it belongs to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    session_id: Option<String>,
    /// The person or thing that it concerns, by a pseudonym, never by a name. Required with
    /// `personal`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    subject: Option<String>,
    /// Words to find it by, each once.
    #[serde(default)]
    #[schema(max_items = 16, value_type = Vec<Tag>)]
    tags: Vec<String>,
    /// Any JSON about the subject that must be erasable, of at most 49,152 bytes. It is stored
    /// encrypted; the log holds only a salted digest of it.
    #[serde(default)]
    #[schema(value_type = Option<serde_json::Value>)]
    personal: Option<Box<RawValue>>,
    /// The time that a proposal waits before it is void, in seconds; 7 days when left out. Only
    /// with the verdict `HOLD`.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2_592_000)]
    expires_in_seconds: Option<i64>,
    /// Seals only if the log has this many entries, so that nothing was sealed in between.
    #[serde(default)]
    #[schema(minimum = 0)]
    expected_size: Option<u64>,
    /// Any text of your own, such as a UUID, without spaces. A call that repeats the arguments and
    /// the key within 24 hours seals nothing again and returns the first answer: use it wherever a
    /// call may be repeated.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255, pattern = "^[!#-~]+$")]
    idempotency_key: Option<String>,
}

/// Appends a seal.
pub(super) async fn seal(state: &AppState, call: &Call) -> Result<Value> {
    let mut by = call.caller::<allow::VaultWrite>()?;
    let arguments: SealArguments = call.arguments()?;
    let key = arguments.idempotency_key;
    let seal = NewSeal {
        kind: arguments.kind,
        verdict: arguments.verdict,
        payload: arguments.payload,
        session_id: arguments.session_id,
        subject: arguments.subject,
        tags: arguments.tags,
        personal: arguments.personal,
        expires_in_seconds: arguments.expires_in_seconds,
        expected_size: arguments.expected_size,
    };
    by.request_mut().idempotency_key = key.map(|key| idempotency_key(&key, &seal)).transpose()?;
    call.answer(&state.appender.append_one(&by, &seal).await?)
}

/// Returns the same as an `Idempotency-Key`, which is stored with those of the routes. Two calls
/// are the same if their arguments are, however they are written: the identifiers of messages and
/// the order of members differ from one call to the next.
fn idempotency_key(key: &str, seal: &NewSeal) -> Result<IdempotencyKey> {
    if !is_idempotency_key(key) {
        let detail = format!("must be 1 to {MAX_KEY} visible ASCII characters but \", such as a UUID");
        return Err(Error::field(Code::ValidationFailed, "/idempotency_key", detail));
    }
    let parsed = |place: &str, text: &RawValue| {
        let refused = |why: json::NotStrictJson| Error::field(Code::AmbiguousJson, place, why.to_string());
        json::parse(text.get().as_bytes()).map_err(refused)
    };
    let arguments = json!({
        "kind": seal.kind,
        "verdict": seal.verdict,
        "payload": parsed("/payload", &seal.payload)?,
        "session_id": seal.session_id,
        "subject": seal.subject,
        "tags": seal.tags,
        "personal": seal.personal.as_deref().map(|text| parsed("/personal", text)).transpose()?,
        // As text, since two large numbers can be one in JSON.
        "expires_in_seconds": seal.expires_in_seconds.map(|seconds| seconds.to_string()),
        "expected_size": seal.expected_size.map(|size| size.to_string()),
    });
    Ok(IdempotencyKey::new(key, &[b"tools/call", b"vault_seal", &json::canonical(&arguments)?]))
}
