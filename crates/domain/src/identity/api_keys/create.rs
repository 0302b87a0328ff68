//! Making an API key.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ApiKey, IssuedKey, Key, Scope, outlived, store, within, within_limit};
use crate::identity::organizations::projects;
use kernel::{
    Core, audit,
    caller::{Permission, Permissions, Principal},
    checks::Checks,
    clock::Timestamp,
    error::{Code, Error, Result},
    idempotency::{self, Once},
};

/// The furthest that an expiry may lie ahead.
const MAX_LIFETIME: TimeDelta = TimeDelta::days(3653);

/// The key that is to be made.
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
    /// What it may do; nothing that its maker may not.
    #[schema(value_type = Vec<Scope>, min_items = 1, max_items = 32, example = json!(["agents:read", "intents:read"]))]
    pub scopes: Vec<String>,
    /// After which it is refused, at most ten years from now; never when left out. A key that expires makes none that lives longer.
    pub expires_at: Option<DateTime<Utc>>,
}

impl KeyRequest {
    fn check(&self, now: Timestamp) -> Result<Permissions> {
        let mut checks = Checks::new();
        checks.line("/name", &self.name, 1..=100);
        checks.count("/scopes", self.scopes.len(), 32);
        if self.scopes.is_empty() {
            checks.broken(Code::TooShort, "/scopes", "needs at least one scope: a key without any could do nothing");
        }
        let mut scopes = Vec::new();
        for (i, name) in self.scopes.iter().take(32).enumerate() {
            match name.parse::<Permission>() {
                Ok(scope) if scope.is_scope() => scopes.push(scope),
                _ => {
                    let known = Permissions::scopes().names().join(", ");
                    checks.broken(Code::UnknownScope, format!("/scopes/{i}"), format!("must be one of {known}"));
                }
            }
        }
        if self.expires_at.is_some_and(|end| end <= now || end > now + MAX_LIFETIME) {
            checks.broken(Code::OutOfRange, "/expires_at", "must lie in the future, and at most ten years ahead");
        }
        checks.finish()?;
        Ok(scopes.into_iter().collect())
    }
}

/// Makes a key for the project that the caller is in. `environment` is named in its text, for people to see where it belongs.
///
/// # Errors
/// [`Code::PermissionMissing`], also for a scope that the caller lacks; values that break a rule; [`Code::LimitReached`]; those of an
/// `Idempotency-Key`; those of the database.
pub async fn create(
    core: &Core,
    by: &Principal,
    environment: &str,
    wanted: &KeyRequest,
    once: Option<&Once>,
) -> Result<IssuedKey> {
    by.require(Permission::KeysWrite)?;
    let now = core.clock.now();
    let scopes = wanted.check(now)?;
    within(by, scopes)?;
    let mut tx = core.db.begin(by.caller()).await?;
    projects::lock(&mut tx, by.project).await?;
    if let Some(first) = idempotency::claim(once, &mut tx, core).await? {
        return Ok(first);
    }
    if let Some(end) = outlived(&mut tx, by, wanted.expires_at).await? {
        let detail = format!("must be {end} or sooner: the key that asks expires then");
        return Err(Error::field(Code::OutOfRange, "/expires_at", detail));
    }
    let key = ApiKey::generate(&core.ids, environment);
    let about = Key { expires_at: wanted.expires_at, ..Key::of(&key, &wanted.name, scopes, by.actor, now) };
    store::insert(&mut tx, by.project, &about, &key.secret_hash()).await?;
    within_limit(&mut tx, by, now).await?;
    audit::record_change(&mut tx, core, by, "api_key.created", &about.id.to_string(), (None, Some(&about))).await?;
    let issued = IssuedKey { about, key: key.reveal() };
    idempotency::keep(once, &mut tx, core, &issued).await?;
    tx.commit().await?;
    Ok(issued)
}
