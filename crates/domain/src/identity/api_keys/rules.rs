//! Rules that creating and managing keys share.

use kernel::{
    Unit,
    caller::{Actor, Permission, Permissions, Principal},
    checks::Checks,
    clock::Timestamp,
    error::{Code, Error, Result},
};

use super::{
    limits::{MAX_LIFETIME, MAX_LIVE, MAX_SCOPES},
    model::KeyRequest,
    store,
};

/// Checks a request for a new key. Returns its scopes.
pub(super) fn check(wanted: &KeyRequest, now: Timestamp) -> Result<Permissions> {
    let mut checks = Checks::new();
    checks.line("/name", &wanted.name, 1..=100);
    checks.count("/scopes", wanted.scopes.len(), MAX_SCOPES);
    if wanted.scopes.is_empty() {
        checks.broken(
            Code::TooShort,
            "/scopes",
            "needs at least one scope: a key without any could do nothing",
        );
    }
    let mut scopes = Vec::new();
    for (i, name) in wanted.scopes.iter().take(MAX_SCOPES).enumerate() {
        match name.parse::<Permission>() {
            Ok(scope) if scope.is_scope() => scopes.push(scope),
            _ => {
                let known = Permissions::scopes().names().join(", ");
                checks.broken(Code::UnknownScope, format!("/scopes/{i}"), format!("must be one of {known}"));
            }
        }
    }
    if wanted.expires_at.is_some_and(|end| end <= now || end > now + MAX_LIFETIME) {
        checks.broken(Code::OutOfRange, "/expires_at", "must lie in the future, and at most ten years ahead");
    }
    checks.finish()?;
    Ok(scopes.into_iter().collect())
}

/// Requires that `by` holds every one of `scopes`.
pub(super) fn require_subset(by: &Principal, scopes: Permissions) -> Result<()> {
    let lacking = scopes.difference(by.permissions);
    if lacking.is_empty() {
        return Ok(());
    }
    let names = lacking.into_iter().map(Permission::as_str).collect::<Vec<_>>().join(", ");
    let detail =
        format!("Nobody creates or manages a key that can do more than they can; the caller lacks {names}");
    Err(Error::new(Code::PermissionMissing, detail))
}

/// Returns when the caller's own key expires, if the new key would live longer: a key that lives
/// for an hour must not create one that lives for ever.
pub(super) async fn clamp_expiry(
    unit: &mut Unit<'_>,
    by: &Principal,
    expiry: Option<Timestamp>,
) -> Result<Option<Timestamp>> {
    let Actor::ApiKey(id) = by.actor else { return Ok(None) };
    // A key that was revoked since it proved itself creates no more keys.
    let end = store::find(unit, by.project, id).await?.ok_or_else(unknown)?.expires_at;
    Ok(end.filter(|end| expiry.is_none_or(|expiry| expiry > *end)))
}

/// Requires that the project has no more keys in use than allowed; the one just created is counted.
pub(super) async fn require_within_limit(unit: &mut Unit<'_>, by: &Principal) -> Result<()> {
    let now = unit.now();
    if store::count_live(unit, by.project, now).await? <= MAX_LIVE {
        return Ok(());
    }
    let detail = format!("A project can have at most {MAX_LIVE} API keys in use; revoke one first");
    Err(Error::new(Code::LimitReached, detail))
}

/// Returns the error for a key that does not exist, or no longer does.
pub(super) fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no API key of that id in this project, or it was revoked")
}
