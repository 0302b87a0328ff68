//! Reading members.

use kernel::{
    Core,
    caller::allow,
    error::{Code, Codes, Result},
    ids::UserId,
    page::{Page, PageRequest},
};

use super::{model::Membership, rules::unknown, store};
use crate::identity::organizations::membership::{AsMember, read};

/// The codes of [`get`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub const GET_ERRORS: Codes = &[&[Code::NotFound]];

/// Returns the member.
///
/// # Errors
/// [`GET_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn get(core: &Core, by: &AsMember<allow::MembersRead>, user: UserId) -> Result<Membership> {
    read(core, by, async |tx| store::find(tx, by.organization, user).await?.ok_or_else(unknown)).await
}

/// Lists the members, those of the newest accounts first.
///
/// # Errors
/// [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn list(
    core: &Core,
    by: &AsMember<allow::MembersRead>,
    page: PageRequest,
) -> Result<Page<Membership>> {
    let found =
        read(core, by, async |tx| Ok(store::list(tx, by.organization, page.before, page.fetch()).await?));
    Ok(page.page(found.await?, |member| member.user_id.uuid()))
}
