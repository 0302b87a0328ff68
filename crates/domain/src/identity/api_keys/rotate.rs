//! Replacing an API key by another of the same scopes, while the old one still works for a while.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ApiKey, IssuedKey, Key, outlived, store, unknown, within, within_limit};
use crate::identity::organizations::projects;
use kernel::{
    Core, audit,
    caller::{Actor, Permission, Principal},
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::ApiKeyId,
};

const OVERLAP_SECONDS: RangeInclusive<i64> = 0..=7 * 24 * 3600;

/// How a key is to be replaced.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotation)]
pub struct Rotation {
    /// Seconds for which the old key still works, at most a week; 0 ends it at once.
    #[schema(minimum = 0, maximum = 604_800, example = 86_400)]
    pub overlap_seconds: i64,
}

/// Makes a key of the same name and scopes, and as long a life, which takes over from `id`.
///
/// # Errors
/// [`Code::PermissionMissing`], also when the key can do more than the caller; [`Code::Forbidden`] when its successor would outlive the key that asks; [`Code::OutOfRange`]; [`Code::NotFound`];
/// [`Code::ApiKeyReplaced`] when it has expired or was rotated before; [`Code::LimitReached`]; those of an `Idempotency-Key`; those of the database.
pub async fn rotate(
    core: &Core,
    by: &Principal,
    environment: &str,
    id: ApiKeyId,
    wanted: Rotation,
    once: Option<&Once>,
) -> Result<IssuedKey> {
    by.require(Permission::KeysWrite)?;
    if !OVERLAP_SECONDS.contains(&wanted.overlap_seconds) {
        let detail = format!("must be 0 to {} seconds", OVERLAP_SECONDS.end());
        return Err(Error::field(Code::OutOfRange, "/overlap_seconds", detail));
    }
    let mut tx = core.db.begin(by.caller()).await?;
    projects::lock(&mut tx, by.project).await?;
    if let Some(first) = idempotency::claim(once, &mut tx, core).await? {
        return Ok(first);
    }
    let old = store::find(&mut tx, by.project, id).await?.ok_or_else(unknown)?;
    within(by, old.scopes)?;
    let now = core.clock.now();
    if !old.lives(now) {
        return Err(Error::new(Code::ApiKeyReplaced, "The API key has expired; make a new one"));
    }
    if let Some(successor) = store::successor(&mut tx, by.project, id).await? {
        let detail = format!("The API key was rotated before: {successor} takes over from it");
        return Err(Error::new(Code::ApiKeyReplaced, detail));
    }
    let expires_at = old.expires_at.map(|expiry| now + (expiry - old.created_at));
    // A key hands over to its own successor, which is what rotating is for; by another's it could outlive itself.
    if by.actor != Actor::ApiKey(id)
        && let Some(end) = outlived(&mut tx, by, expires_at).await?
    {
        let detail = format!(
            "The key that asks expires at {end}, and this one's successor would live longer; ask as somebody who does not expire"
        );
        return Err(Error::new(Code::Forbidden, detail));
    }
    let end = now + TimeDelta::seconds(wanted.overlap_seconds);
    let retired = Key { expires_at: Some(old.expires_at.map_or(end, |expiry| expiry.min(end))), ..old.clone() };
    store::expire(&mut tx, by.project, &retired).await?;

    let key = ApiKey::generate(&core.ids, environment);
    let about = Key { expires_at, replaces: Some(id), ..Key::of(&key, &old.name, old.scopes, by.actor, now) };
    store::insert(&mut tx, by.project, &about, &key.secret_hash()).await?;
    within_limit(&mut tx, by, now).await?;
    let change = (Some(&old), Some(&retired));
    audit::record_change(&mut tx, core, by, "api_key.rotated", &id.to_string(), change).await?;
    audit::record_change(&mut tx, core, by, "api_key.created", &about.id.to_string(), (None, Some(&about))).await?;
    let issued = IssuedKey { about, key: key.reveal() };
    idempotency::keep(once, &mut tx, core, &issued).await?;
    tx.commit().await?;
    Ok(issued)
}
