//! Revocation of an invitation.

use kernel::{
    Core, Unit,
    audit::Change,
    caller::allow,
    error::{Code, Codes, Result},
    ids::{InvitationId, OrganizationId, UserId},
};

use super::{model::unknown, store};
use crate::identity::organizations::membership::{AsMember, write};

/// The codes of [`revoke`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub const REVOKE_ERRORS: Codes = &[&[Code::NotFound, Code::RoleTooHigh]];

/// Revokes the invitation: its links no longer work.
///
/// # Errors
/// [`REVOKE_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn revoke(core: &Core, by: &AsMember<allow::MembersWrite>, id: InvitationId) -> Result<()> {
    write(core, by, async |unit, me| {
        let revoked = store::find(unit, by.organization, id).await?.ok_or_else(unknown)?;
        me.can_manage(revoked.role)?;
        let now = unit.now();
        // It may have been accepted just now.
        if !store::revoke(unit, by.organization, id, now).await? {
            return Err(unknown());
        }
        unit.audit("invitation.revoked", id, Change::removed(&revoked)?);
        Ok(())
    })
    .await
}

/// Revokes every invitation by `inviter`: an invitation must not outlive its inviter's right to
/// make it.
///
/// # Errors
/// [`Code::Unavailable`].
pub(in crate::identity::organizations) async fn revoke_all_of(
    unit: &mut Unit<'_>,
    organization: OrganizationId,
    inviter: UserId,
) -> Result<()> {
    let now = unit.now();
    for revoked in store::revoke_all_of(unit, organization, inviter, now).await? {
        unit.audit("invitation.revoked", revoked.id, Change::removed(&revoked)?);
    }
    Ok(())
}
