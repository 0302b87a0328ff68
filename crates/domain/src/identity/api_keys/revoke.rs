//! Ending an API key.

use super::{store, unknown, within};
use kernel::{
    Core, audit,
    caller::{Permission, Principal},
    error::Result,
    ids::ApiKeyId,
};

/// Revokes the key: every replica refuses it within 5 seconds, for that is how long a looked-up key is believed.
///
/// # Errors
/// [`Code::PermissionMissing`](kernel::Code::PermissionMissing), also when the key can do more than the caller;
/// [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn revoke(core: &Core, by: &Principal, id: ApiKeyId) -> Result<()> {
    by.require(Permission::KeysWrite)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let key = store::find(&mut tx, by.project, id).await?.ok_or_else(unknown)?;
    within(by, key.scopes)?;
    // Somebody else may have been quicker.
    if !store::revoke(&mut tx, by.project, id, core.clock.now()).await? {
        return Err(unknown());
    }
    audit::record_change(&mut tx, core, by, "api_key.revoked", &id.to_string(), (Some(&key), None)).await?;
    tx.commit().await?;
    Ok(())
}
