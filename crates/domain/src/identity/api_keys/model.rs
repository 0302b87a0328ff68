//! API keys, on the wire and in their rows.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    caller::{Actor, Permissions},
    clock::Timestamp,
    ids::{ApiKeyId, ProjectId},
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::text::ApiKey;

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
#[schema(as = ApiKey)]
pub struct Key {
    /// Its identifier; also in the middle of its text.
    pub id: ApiKeyId,
    /// Its name, for people.
    pub name: String,
    /// The start of its text.
    #[schema(example = "hf_production_019aa3f0c1d27abc8def0123456789ab")]
    pub prefix: String,
    /// The things it may do.
    #[sqlx(try_from = "Vec<String>")]
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Permissions,
    /// The creator: a person, a key, or `system`.
    pub created_by: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    #[schema(required = true)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    #[schema(required = true)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// The key that it takes over from.
    #[schema(required = true)]
    pub replaces: Option<ApiKeyId>,
}

impl Key {
    /// Describes `key`, which `by` creates.
    pub(in crate::identity) fn new(
        key: &ApiKey,
        name: &str,
        scopes: Permissions,
        by: Actor,
        now: Timestamp,
    ) -> Self {
        Self {
            id: key.id(),
            name: name.to_owned(),
            prefix: key.prefix(),
            scopes,
            created_by: by.to_string(),
            created_at: now,
            expires_at: None,
            last_used_at: None,
            replaces: None,
        }
    }

    /// Returns true when it works at `now`.
    pub(super) fn lives(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// A key that was just created, and its text, which is not shown again.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = IssuedApiKey)]
pub struct IssuedKey {
    /// The key.
    #[serde(flatten)]
    pub about: Key,
    /// The whole key, for `Authorization: Bearer`. Keep it; nobody can show it again.
    pub key: String,
    /// The project that it opens.
    #[serde(skip)]
    pub(super) project: ProjectId,
}

impl Resource for IssuedKey {
    const LOCATED: bool = true;

    fn location(&self) -> Option<String> {
        Some(format!("/v1/projects/{}/keys/{}", self.project, self.about.id))
    }
}

// The text of a key must not get into a log.
impl fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedKey({})", self.about.id)
    }
}

/// The key that is to be created.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRequest)]
pub struct KeyRequest {
    /// A name, for people.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "nightly import"
    )]
    pub name: String,
    /// The things it may do; nothing that its creator may not.
    #[schema(
        value_type = Vec<Scope>,
        min_items = 1,
        max_items = 32,
        example = json!(["agents:read", "intents:read"])
    )]
    pub scopes: Vec<String>,
    /// When it stops working, at most ten years from now; never when left out. A key that expires
    /// creates none that lives longer.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A request to replace a key.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotation)]
pub struct Rotation {
    /// Seconds for which the old key still works, at most a week; 0 ends it at once.
    #[schema(minimum = 0, maximum = 604_800, example = 86_400)]
    pub overlap_seconds: i64,
}

/// Something that an API key may do.
#[derive(Debug, Clone, Copy)]
pub struct Scope;

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        let names = Permissions::scopes().names();
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Scope {}
