//! Reading projects.

use super::{super::enter, Project, store, unknown};
use kernel::{
    Core,
    caller::{Permission, Person, Principal},
    error::Result,
    ids::OrganizationId,
    page::{Page, PageRequest},
};

/// The project that the caller is in.
///
/// # Errors
/// [`Code::PermissionMissing`](kernel::Code::PermissionMissing); those of the database.
pub async fn get(core: &Core, by: &Principal) -> Result<Project> {
    by.require(Permission::ProjectRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let found = store::find(&mut tx, by.project).await?;
    tx.commit().await?;
    found.ok_or_else(unknown)
}

/// The organisation's projects, newest first.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn list(core: &Core, by: &Person, organization: OrganizationId, page: PageRequest) -> Result<Page<Project>> {
    let (mut tx, _) = enter(core, by, organization, Permission::ProjectRead).await?;
    let found = store::list(&mut tx, organization, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(found, |project| project.id.uuid()))
}
