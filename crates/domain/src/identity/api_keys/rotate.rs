//! Rotation of an API key: another key of the same scopes replaces it, while the old one still
//! works for a while.

use chrono::TimeDelta;
use kernel::{
    Core, Unit,
    answer::Answer,
    audit::Change,
    caller::{Actor, Authorized, allow},
    error::{Code, Codes, Error, Result},
    ids::ApiKeyId,
    ports::Credential,
};

use super::{
    limits::OVERLAP_SECONDS,
    model::{IssuedKey, Key, Rotation},
    rules::{clamp_expiry, require_subset, require_within_limit, unknown},
    store,
    text::ApiKey,
};
use crate::identity::organizations::projects;

/// The codes of [`rotate`].
pub const ROTATE_ERRORS: Codes = &[
    &[Code::OutOfRange],
    // The key can do more than the caller.
    &[Code::PermissionMissing],
    // Its successor would outlive the key that asks.
    &[Code::Forbidden],
    // It has expired, or was rotated before.
    &[Code::ApiKeyReplaced],
    &[Code::NotFound, Code::LimitReached],
];

/// Creates a key of the same name and scopes, and as long a life, which takes over from `id`.
///
/// # Errors
/// [`ROTATE_ERRORS`].
pub async fn rotate(
    core: &Core,
    by: &Authorized<allow::KeysWrite>,
    environment: &str,
    id: ApiKeyId,
    wanted: Rotation,
) -> Result<Answer<IssuedKey>> {
    if !OVERLAP_SECONDS.contains(&wanted.overlap_seconds) {
        let detail = format!("must be 0 to {} seconds", OVERLAP_SECONDS.end());
        return Err(Error::field(Code::OutOfRange, "/overlap_seconds", detail));
    }
    core.write_once(by, async |unit| {
        projects::lock(unit, by.project).await?;
        let now = unit.now();
        let old = replaceable(unit, by, id).await?;
        let expires_at = old.expires_at.map(|expiry| now + (expiry - old.created_at));
        // A key may hand over to its own successor, which is the purpose of rotating; through
        // another key's successor it could outlive itself.
        if by.actor != Actor::ApiKey(id)
            && let Some(end) = clamp_expiry(unit, by, expires_at).await?
        {
            let detail = format!(
                "The key that asks expires at {end}, and this one's successor would live longer; ask as \
                somebody who does not expire"
            );
            return Err(Error::new(Code::Forbidden, detail));
        }
        let end = now + TimeDelta::seconds(wanted.overlap_seconds);
        let retired =
            Key { expires_at: Some(old.expires_at.map_or(end, |expiry| expiry.min(end))), ..old.clone() };
        store::expire(unit, by.project, &retired).await?;
        let key = ApiKey::generate(&core.ids, environment);
        let new = Key::new(&key, &old.name, old.scopes, by.actor, now);
        let about = Key { expires_at, replaces: Some(id), ..new };
        store::insert(unit, by.project, &about, &key.secret_hash()).await?;
        require_within_limit(unit, by).await?;
        unit.audit("api_key.rotated", id, Change::updated(&old, &retired)?);
        unit.audit("api_key.created", about.id, Change::created(&about)?);
        unit.forget(Credential::ApiKey(id));
        Answer::created(&IssuedKey { about, key: key.reveal(), project: by.project })
    })
    .await
}

/// Returns the key, if it can be replaced.
async fn replaceable(unit: &mut Unit<'_>, by: &Authorized<allow::KeysWrite>, id: ApiKeyId) -> Result<Key> {
    let old = store::find(unit, by.project, id).await?.ok_or_else(unknown)?;
    require_subset(by, old.scopes)?;
    if !old.lives(unit.now()) {
        return Err(Error::new(Code::ApiKeyReplaced, "The API key has expired; create a new one"));
    }
    if let Some(successor) = store::find_successor(unit, by.project, id).await? {
        let detail = format!("The API key was rotated before: {successor} takes over from it");
        return Err(Error::new(Code::ApiKeyReplaced, detail));
    }
    Ok(old)
}
