//! Reading organisations.

use super::{Organization, enter, enter::unknown, store};
use kernel::{
    Core,
    caller::{Permission, Person},
    error::Result,
    ids::OrganizationId,
    page::{Page, PageRequest},
};

/// The organisation, for its members.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn get(core: &Core, by: &Person, id: OrganizationId) -> Result<Organization> {
    let (mut tx, _) = enter(core, by, id, Permission::MembersRead).await?;
    let found = store::find(&mut tx, id, by.user).await?;
    tx.commit().await?;
    found.ok_or_else(unknown)
}

/// Those that the person is a member of, newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(core: &Core, by: &Person, page: PageRequest) -> Result<Page<Organization>> {
    let mut tx = core.db.begin(by.caller()).await?;
    let found = store::list(&mut tx, by.user, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(found, |organization| organization.id.uuid()))
}
