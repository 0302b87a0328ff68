//! Reading who was invited.

use super::{super::enter, Invitation, store};
use kernel::{
    Core,
    caller::{Permission, Person},
    error::Result,
    ids::OrganizationId,
    page::{Page, PageRequest},
};

/// The open invitations, newest first.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound); those of the database.
pub async fn list(
    core: &Core,
    by: &Person,
    organization: OrganizationId,
    page: PageRequest,
) -> Result<Page<Invitation>> {
    let (mut tx, _) = enter(core, by, organization, Permission::MembersRead).await?;
    let found = store::list(&mut tx, organization, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(found, |invitation| invitation.id.uuid()))
}
