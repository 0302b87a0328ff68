//! Ending an API key.

use kernel::{
    Core,
    audit::Change,
    caller::{Authorized, allow},
    error::{Code, Codes, Result},
    ids::ApiKeyId,
    ports::Credential,
};

use super::{
    rules::{require_subset, unknown},
    store,
};

/// The codes of [`revoke`]: `PermissionMissing` when the key can do more than the caller.
pub const REVOKE_ERRORS: Codes = &[&[Code::PermissionMissing, Code::NotFound]];

/// Revokes the key: every replica refuses it within 5 seconds, the time for which a looked-up key
/// is remembered.
///
/// # Errors
/// [`REVOKE_ERRORS`].
pub async fn revoke(core: &Core, by: &Authorized<allow::KeysWrite>, id: ApiKeyId) -> Result<()> {
    core.write(by, async |unit| {
        let key = store::find(unit, by.project, id).await?.ok_or_else(unknown)?;
        require_subset(by, key.scopes)?;
        let now = unit.now();
        // Another request may have been faster.
        if !store::revoke(unit, by.project, id, now).await? {
            return Err(unknown());
        }
        unit.audit("api_key.revoked", id, Change::removed(&key)?);
        unit.forget(Credential::ApiKey(id));
        Ok(())
    })
    .await
}
