//! Creating an API key.

use kernel::{
    Core,
    answer::Answer,
    audit::Change,
    caller::{Authorized, allow},
    checks::LINE_ERRORS,
    error::{Code, Codes, Error, Result},
};

use super::{
    model::{IssuedKey, Key, KeyRequest},
    rules::{check, clamp_expiry, require_subset, require_within_limit},
    store,
    text::ApiKey,
};
use crate::identity::organizations::projects;

/// The codes of [`create`].
pub const CREATE_ERRORS: Codes = &[
    LINE_ERRORS,
    &[Code::UnknownScope, Code::OutOfRange],
    // A scope that the caller lacks.
    &[Code::PermissionMissing],
    &[Code::LimitReached],
    // The caller's own key was revoked since it proved itself.
    &[Code::NotFound],
];

/// Creates a key for the project that the caller is in. The key's text names `environment`, for
/// people to see where it belongs.
///
/// # Errors
/// [`CREATE_ERRORS`].
pub async fn create(
    core: &Core,
    by: &Authorized<allow::KeysWrite>,
    environment: &str,
    wanted: &KeyRequest,
) -> Result<Answer<IssuedKey>> {
    let scopes = check(wanted, core.clock.now())?;
    require_subset(by, scopes)?;
    core.write_once(by, async |unit| {
        projects::lock(unit, by.project).await?;
        if let Some(end) = clamp_expiry(unit, by, wanted.expires_at).await? {
            let detail = format!("must be {end} or sooner: the key that asks expires then");
            return Err(Error::field(Code::OutOfRange, "/expires_at", detail));
        }
        let key = ApiKey::generate(&core.ids, environment);
        let new = Key::new(&key, &wanted.name, scopes, by.actor, unit.now());
        let about = Key { expires_at: wanted.expires_at, ..new };
        store::insert(unit, by.project, &about, &key.secret_hash()).await?;
        require_within_limit(unit, by).await?;
        unit.audit("api_key.created", about.id, Change::created(&about)?);
        Answer::created(&IssuedKey { about, key: key.reveal(), project: by.project })
    })
    .await
}
