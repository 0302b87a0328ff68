//! Reading API keys.

use super::{Key, store, unknown};
use kernel::{
    Core,
    caller::{Permission, Principal},
    error::Result,
    ids::ApiKeyId,
    page::{Page, PageRequest},
};

/// The key, unless it was revoked.
///
/// # Errors
/// [`Code::PermissionMissing`](kernel::Code::PermissionMissing), [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn get(core: &Core, by: &Principal, id: ApiKeyId) -> Result<Key> {
    by.require(Permission::KeysRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let found = store::find(&mut tx, by.project, id).await?;
    tx.commit().await?;
    found.ok_or_else(unknown)
}

/// The project's keys that were not revoked, newest first.
///
/// # Errors
/// [`Code::PermissionMissing`](kernel::Code::PermissionMissing); those of the database.
pub async fn list(core: &Core, by: &Principal, page: PageRequest) -> Result<Page<Key>> {
    by.require(Permission::KeysRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let found = store::list(&mut tx, by.project, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(found, |key| key.id.uuid()))
}
