//! Reading who is a member.

use super::{super::enter, Membership, store, unknown};
use kernel::{
    Core,
    caller::{Permission, Person},
    error::Result,
    ids::{OrganizationId, UserId},
    page::{Page, PageRequest},
};

/// The member.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn get(core: &Core, by: &Person, organization: OrganizationId, user: UserId) -> Result<Membership> {
    let (mut tx, _) = enter(core, by, organization, Permission::MembersRead).await?;
    let found = store::find(&mut tx, organization, user).await?;
    tx.commit().await?;
    found.ok_or_else(unknown)
}

/// The members, those of the newest accounts first.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn list(
    core: &Core,
    by: &Person,
    organization: OrganizationId,
    page: PageRequest,
) -> Result<Page<Membership>> {
    let (mut tx, _) = enter(core, by, organization, Permission::MembersRead).await?;
    let found = store::list(&mut tx, organization, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(found, |member| member.user_id.uuid()))
}
