//! Removing a member, and leaving.

use super::{
    super::{enter_alone, invitations},
    spare_owner, store, unknown,
};
use kernel::{
    Core, audit,
    caller::{Permission, Person, Role},
    error::Result,
    ids::{OrganizationId, UserId},
};

/// Takes `user` out of the organisation: others, which takes `members:write`, or the caller themselves. The projects' API keys stay, whoever made
/// them; the invitations that they made do not.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound), [`Code::PermissionMissing`](kernel::Code::PermissionMissing),
/// [`Code::RoleTooHigh`](kernel::Code::RoleTooHigh), [`Code::LastOwner`](kernel::Code::LastOwner); those of the database.
pub async fn remove(core: &Core, by: &Person, organization: OrganizationId, user: UserId) -> Result<()> {
    let leaves = user == by.user;
    let needed = if leaves { Permission::MembersRead } else { Permission::MembersWrite };
    let (mut tx, me) = enter_alone(core, by, organization, needed).await?;
    let gone = store::find(&mut tx, organization, user).await?.ok_or_else(unknown)?;
    me.may_touch(gone.role)?;
    if gone.role == Role::Owner {
        spare_owner(&mut tx, organization).await?;
    }
    // Written first: who has left can no longer write into the organisation's log.
    let action = if leaves { "member.left" } else { "member.removed" };
    audit::record_change(&mut tx, core, &me, action, &user.to_string(), (Some(&gone), None)).await?;
    invitations::revoke_of(&mut tx, core, &me, user).await?;
    store::delete(&mut tx, organization, user).await?;
    tx.commit().await?;
    Ok(())
}
