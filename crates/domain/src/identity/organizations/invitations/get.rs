//! Reading invitations.

use kernel::{
    Core,
    caller::allow,
    error::Result,
    page::{Page, PageRequest},
};

use super::{model::Invitation, store};
use crate::identity::organizations::membership::{AsMember, read};

/// Lists the open invitations, newest first.
///
/// # Errors
/// [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn list(
    core: &Core,
    by: &AsMember<allow::MembersRead>,
    page: PageRequest,
) -> Result<Page<Invitation>> {
    let found =
        read(core, by, async |tx| Ok(store::list(tx, by.organization, page.before, page.fetch()).await?));
    Ok(page.page(found.await?, |invitation| invitation.id.uuid()))
}
