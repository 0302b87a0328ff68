//! Reading organizations.

use kernel::{
    Core,
    caller::{Person, allow},
    error::Result,
    page::{Page, PageRequest},
};

use super::{
    membership::{AsMember, read, unknown},
    model::Organization,
    store,
};

/// Returns the organization to its members.
///
/// # Errors
/// [`MEMBER_ERRORS`](super::MEMBER_ERRORS).
pub async fn get(core: &Core, by: &AsMember<allow::MembersRead>) -> Result<Organization> {
    read(core, by, async |tx| store::find(tx, by.organization, by.person.user).await?.ok_or_else(unknown))
        .await
}

/// Lists the organizations that the person is a member of, newest first.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn list(core: &Core, by: &Person, page: PageRequest) -> Result<Page<Organization>> {
    let found =
        core.read(by, async |tx| Ok(store::list(tx, by.user, page.before, page.fetch()).await?)).await?;
    Ok(page.page(found, |organization| organization.id.uuid()))
}
