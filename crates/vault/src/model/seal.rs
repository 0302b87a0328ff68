//! Seals as they are read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{new_seal::Tag, verdict::Verdict};

/// The number of seals with each verdict.
pub type Counts = BTreeMap<Verdict, u64>;

/// Selects seals; a filter that is left out selects all.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The kind.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub kind: Option<String>,
    /// The verdict.
    #[param(value_type = Verdict, required = false)]
    pub verdict: Option<Verdict>,
    /// The actor: an identifier, or `system`.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub actor: Option<String>,
    /// The conversation or run.
    #[param(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$")]
    pub session_id: Option<String>,
    /// The person or thing that it concerns.
    #[param(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$")]
    pub subject: Option<String>,
    /// One of its tags.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub tag: Option<String>,
    /// Sealed then or later, RFC 3339.
    pub from: Option<DateTime<Utc>>,
    /// Sealed before then, RFC 3339.
    pub to: Option<DateTime<Utc>>,
}

/// A seal as the log has it: the content of its entry, and its leaf.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Seal {
    /// The place in the log.
    #[schema(minimum = 0)]
    pub index: u64,
    /// When it was sealed.
    pub at: DateTime<Utc>,
    /// The actor that sealed it: the identifier of an agent, an API key or a person, or `system`.
    #[schema(max_length = 64)]
    pub actor: String,
    /// The kind of thing that it records.
    #[schema(max_length = 64)]
    pub kind: String,
    /// The statement about that thing.
    pub verdict: Verdict,
    /// The payload, in canonical form.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The conversation or run that it belongs to.
    #[schema(required = true, max_length = 128)]
    pub session_id: Option<String>,
    /// The person or thing that it concerns.
    #[schema(required = true, max_length = 128)]
    pub subject: Option<String>,
    /// Words to find it by.
    #[schema(value_type = Vec<Tag>)]
    pub tags: Vec<String>,
    /// SHA-256 over salt and text of the personal data, in hexadecimal; null when it has none.
    #[schema(required = true, max_length = 64)]
    pub personal_sha256: Option<String>,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    pub leaf_hash: String,
}

/// A seal with its personal data.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SealInFull {
    /// The seal.
    #[serde(flatten)]
    pub seal: Seal,
    /// The personal data; null when it has none, or when it was erased.
    #[schema(required = true)]
    pub personal: Option<PersonalData>,
}

/// Personal data that has not been erased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonalData {
    /// The data, in canonical form.
    #[schema(value_type = serde_json::Value)]
    pub value: Box<RawValue>,
    /// 32 bytes in hexadecimal. SHA-256 over them and the canonical form of `value` is
    /// `personal_sha256`.
    #[schema(max_length = 64)]
    pub salt: String,
}

/// The number of seals with each verdict.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Tally {
    /// The numbers by verdict; a verdict that no seal has is left out.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    pub verdicts: Counts,
    /// The number of seals that were counted.
    pub total: u64,
    /// True when all selected seals were counted: with a filter, at most the newest 100,000 are.
    pub complete: bool,
}
