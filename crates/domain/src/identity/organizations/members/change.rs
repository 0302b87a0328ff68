//! Giving a member another role.

use super::{
    super::{enter_alone, invitations},
    Membership, RoleChange, spare_owner, store, unknown,
};
use kernel::{
    Core, audit,
    caller::{Permission, Person, Role},
    error::Result,
    ids::{OrganizationId, UserId},
    version::Expected,
};

/// Changes the member's role. With a lesser one, the invitations that they made are revoked.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound), [`Code::PermissionMissing`](kernel::Code::PermissionMissing);
/// [`Code::RoleTooHigh`](kernel::Code::RoleTooHigh) when the member is, or is to be, above the caller;
/// [`Code::LastOwner`](kernel::Code::LastOwner); [`Code::VersionMismatch`](kernel::Code::VersionMismatch); those of the database.
pub async fn change(
    core: &Core,
    by: &Person,
    organization: OrganizationId,
    user: UserId,
    wanted: RoleChange,
    expected: Expected,
) -> Result<Membership> {
    let (mut tx, me) = enter_alone(core, by, organization, Permission::MembersWrite).await?;
    let before = store::find(&mut tx, organization, user).await?.ok_or_else(unknown)?;
    me.may_touch(before.role)?;
    me.may_touch(wanted.role)?;
    expected.check(before.version)?;
    if before.role == wanted.role {
        return Ok(before);
    }
    if before.role == Role::Owner {
        spare_owner(&mut tx, organization).await?;
    }
    let after = Membership { role: wanted.role, version: before.version + 1, ..before.clone() };
    store::update(&mut tx, organization, &after).await?;
    if after.role < before.role {
        invitations::revoke_of(&mut tx, core, &me, user).await?;
    }
    let change = (Some(&before), Some(&after));
    audit::record_change(&mut tx, core, &me, "member.role_changed", &user.to_string(), change).await?;
    tx.commit().await?;
    Ok(after)
}
