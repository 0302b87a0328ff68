//! Seals to append, as callers send them.

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::verdict::Verdict;

/// The most bytes of a payload, and of personal data, in canonical form.
pub const MAX_PAYLOAD: usize = 48 * 1024;
/// The most bytes of an entry: C2SP tlog-tiles writes its length in two bytes.
pub const MAX_ENTRY: usize = u16::MAX as usize;
/// The most seals of one request, and of one batch.
pub const MAX_SEALS: usize = 1_000;

/// A seal to append.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeal {
    /// The kind of thing that it records, in the product's own vocabulary. `proposal.approved`,
    /// `proposal.rejected`, `proposal.expired`, `subject.erased` and `audit.digested` are reserved
    /// for Holdfast.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "payment.decision"
    )]
    pub kind: String,
    /// The statement about that thing. `HOLD` makes it a proposal that waits for a person.
    pub verdict: Verdict,
    /// Any JSON, of at most 49,152 bytes, that all readers read alike: no duplicate keys, no
    /// integer beyond ±(2^53 − 1). Everybody who knows the log can read it, forever: put what must
    /// be erasable into `personal`.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The conversation or run that it belongs to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    pub session_id: Option<String>,
    /// The person or thing that it concerns, by a pseudonym; not `.` or `..`.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    pub subject: Option<String>,
    /// Words to find it by, each once.
    #[serde(default)]
    #[schema(max_items = 16, value_type = Vec<Tag>)]
    pub tags: Vec<String>,
    /// Any JSON about the subject that can be erased. It is stored encrypted; the entry holds only
    /// a salted digest of it.
    #[serde(default)]
    #[schema(value_type = Option<serde_json::Value>)]
    pub personal: Option<Box<RawValue>>,
    /// The time that a proposal waits before it is void, in seconds; 7 days when left out. Only
    /// with the verdict `HOLD`.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2_592_000)]
    pub expires_in_seconds: Option<i64>,
    /// Appends only if the log has this many entries, so that nothing was sealed in between. Not
    /// for one seal of several.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_099_511_627_776_u64)]
    pub expected_size: Option<u64>,
}

/// Several seals to append, one after the other, all or none.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeals {
    /// 1 to 1,000 seals.
    #[schema(min_items = 1, max_items = 1000)]
    pub seals: Vec<NewSeal>,
    /// Appends only if the log has this many entries, so that nothing was sealed in between.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_099_511_627_776_u64)]
    pub expected_size: Option<u64>,
}

/// A word that seals are found by.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 64,
    pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Tag(String);
