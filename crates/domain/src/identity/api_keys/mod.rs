//! A project's API keys: what programs of the project's own prove themselves with. A key's text is shown once, when it is made; after that it is
//! known by its prefix. Nobody makes or manages a key that can do more than they can.

mod create;
mod get;
mod revoke;
mod rotate;
pub(super) mod store;
mod text;

pub use create::{KeyRequest, create};
pub use get::{get, list};
pub use revoke::revoke;
pub use rotate::{Rotation, rotate};
pub use text::{ApiKey, NotAnApiKey};

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use kernel::caller::{Actor, Permission, Permissions, Principal};
use kernel::{
    clock::Timestamp,
    db::Tx,
    error::{Code, Error, Result},
    ids::ApiKeyId,
};

/// How many keys of a project can be in use.
pub const MAX_LIVE: i64 = 100;

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow, ToSchema)]
#[schema(as = ApiKey)]
pub struct Key {
    /// Its identifier; also in the middle of its text.
    pub id: ApiKeyId,
    /// Its name, for people.
    pub name: String,
    /// What its text begins with; null for keys of older versions.
    #[schema(required = true, example = "hf_production_019aa3f0c1d27abc8def0123456789ab")]
    pub prefix: Option<String>,
    /// What it may do.
    #[sqlx(try_from = "Vec<String>")]
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Permissions,
    /// Who made it: a person, a key, or `system`.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// After which it is refused.
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
    /// What is to be known of `key`, which `by` makes.
    pub(super) fn of(key: &ApiKey, name: &str, scopes: Permissions, by: Actor, now: Timestamp) -> Self {
        Self {
            id: key.id(),
            name: name.to_owned(),
            prefix: Some(key.prefix()),
            scopes,
            created_by: by.to_string(),
            created_at: now,
            expires_at: None,
            last_used_at: None,
            replaces: None,
        }
    }

    fn lives(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// A key that was just made, and its text, which is not shown again.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = IssuedApiKey)]
pub struct IssuedKey {
    /// What will be known of it.
    #[serde(flatten)]
    pub about: Key,
    /// The whole key, for `Authorization: Bearer`. Keep it; nobody can show it again.
    pub key: String,
}

// The text of a key must not get into a log.
impl fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedKey({})", self.about.id)
    }
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

/// That `by` may deal with keys of these scopes.
fn within(by: &Principal, scopes: Permissions) -> Result<()> {
    let beyond = scopes.beyond(by.permissions);
    if beyond.is_empty() {
        return Ok(());
    }
    let names = beyond.into_iter().map(Permission::as_str).collect::<Vec<_>>().join(", ");
    let detail = format!("Nobody makes or manages a key that can do more than they can; the caller lacks {names}");
    Err(Error::new(Code::PermissionMissing, detail))
}

/// When `by` themselves expire, if what they would make lived longer: whoever has a key for an hour must not have what it makes for ever.
async fn outlived(tx: &mut Tx, by: &Principal, expiry: Option<Timestamp>) -> Result<Option<Timestamp>> {
    let Actor::ApiKey(id) = by.actor else { return Ok(None) };
    // One that was revoked since it proved itself makes nothing any more.
    let end = store::find(tx, by.project, id).await?.ok_or_else(unknown)?.expires_at;
    Ok(end.filter(|end| expiry.is_none_or(|expiry| expiry > *end)))
}

/// That the project has not more keys in use than it may, the one just made among them.
async fn within_limit(tx: &mut Tx, by: &Principal, now: Timestamp) -> Result<()> {
    if store::count_live(tx, by.project, now).await? <= MAX_LIVE {
        return Ok(());
    }
    let detail = format!("A project can have at most {MAX_LIVE} API keys in use; revoke one first");
    Err(Error::new(Code::LimitReached, detail))
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no API key of that id in this project, or it was revoked")
}
