//! Removal of a member, and leaving.

use kernel::{
    Core, Unit,
    audit::Change,
    caller::{Member, Role, allow},
    error::{Code, Codes, Result},
    ids::UserId,
    ports::Credential,
};

use super::{
    rules::{require_other_owner, unknown},
    store,
};
use crate::identity::organizations::{
    invitations,
    membership::{AsMember, write},
};

/// The codes of [`remove`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub const REMOVE_ERRORS: Codes = &[&[Code::NotFound, Code::RoleTooHigh, Code::LastOwner]];

/// Removes `user` from the organization. A member may remove themselves; removing another takes
/// `members:write`. The projects' API keys stay, whoever created them; the member's invitations are
/// revoked.
///
/// # Errors
/// [`REMOVE_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn remove(core: &Core, by: &AsMember<allow::MembersWrite>, user: UserId) -> Result<()> {
    if user == by.person.user {
        let by = by.by::<allow::MembersRead>();
        write(core, &by, async |unit, me| end(unit, &me, user, "member.left").await).await
    } else {
        write(core, by, async |unit, me| end(unit, &me, user, "member.removed").await).await
    }
}

async fn end(unit: &mut Unit<'_>, me: &Member, user: UserId, action: &'static str) -> Result<()> {
    let organization = me.organization;
    let removed = store::find(unit, organization, user).await?.ok_or_else(unknown)?;
    me.can_manage(removed.role)?;
    if removed.role == Role::Owner {
        require_other_owner(unit, organization).await?;
    }
    unit.audit(action, user, Change::removed(&removed)?);
    invitations::revoke_all_of(unit, organization, user).await?;
    unit.forget(Credential::MembershipsOf(user));
    // Before the membership ends: a person who has left can no longer write into the organization's
    // log.
    unit.flush().await?;
    store::delete(unit, organization, user).await?;
    Ok(())
}
