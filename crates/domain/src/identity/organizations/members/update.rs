//! Changes of a member's role.

use kernel::{
    Core,
    audit::Change,
    caller::{Role, allow},
    error::{Code, Codes, Result},
    ids::UserId,
    ports::Credential,
    version::Expected,
};

use super::{
    model::{Membership, MembershipPatch},
    rules::{require_other_owner, unknown},
    store,
};
use crate::identity::organizations::{
    invitations,
    membership::{AsMember, write},
};

/// The codes of [`update`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS): `RoleTooHigh`
/// when the member is, or is to be, above the caller.
pub const UPDATE_ERRORS: Codes =
    &[&[Code::NotFound, Code::RoleTooHigh, Code::LastOwner, Code::VersionMismatch]];

/// Changes the member's role. A lower role revokes their invitations.
///
/// # Errors
/// [`UPDATE_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn update(
    core: &Core,
    by: &AsMember<allow::MembersWrite>,
    user: UserId,
    wanted: MembershipPatch,
    expected: Expected,
) -> Result<Membership> {
    write(core, by, async |unit, me| {
        let before = store::find(unit, by.organization, user).await?.ok_or_else(unknown)?;
        me.can_manage(before.role)?;
        let role = wanted.role.or(before.role);
        me.can_manage(role)?;
        expected.check(before.version)?;
        if before.role == role {
            return Ok(before);
        }
        if before.role == Role::Owner {
            require_other_owner(unit, by.organization).await?;
        }
        let after = Membership { role, version: before.version + 1, ..before.clone() };
        store::update(unit, by.organization, &after).await?;
        if after.role < before.role {
            invitations::revoke_all_of(unit, by.organization, user).await?;
        }
        unit.audit("member.role_changed", user, Change::updated(&before, &after)?);
        unit.forget(Credential::MembershipsOf(user));
        Ok(after)
    })
    .await
}
