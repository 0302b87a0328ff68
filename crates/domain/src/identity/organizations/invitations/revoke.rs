//! Taking an invitation back.

use super::{super::enter_alone, store, unknown};
use kernel::{
    Core, audit,
    caller::{Member, Permission, Person},
    db::Tx,
    error::Result,
    ids::{InvitationId, OrganizationId, UserId},
};

/// Revokes the invitation: its links open nothing any more.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound), [`Code::PermissionMissing`](kernel::Code::PermissionMissing),
/// [`Code::RoleTooHigh`](kernel::Code::RoleTooHigh); those of the database.
pub async fn revoke(core: &Core, by: &Person, organization: OrganizationId, id: InvitationId) -> Result<()> {
    let (mut tx, me) = enter_alone(core, by, organization, Permission::MembersWrite).await?;
    let gone = store::find(&mut tx, organization, id).await?.ok_or_else(unknown)?;
    me.may_touch(gone.role)?;
    // It may have been accepted this moment.
    if !store::revoke(&mut tx, organization, id, core.clock.now()).await? {
        return Err(unknown());
    }
    audit::record_change(&mut tx, core, &me, "invitation.revoked", &id.to_string(), (Some(&gone), None)).await?;
    tx.commit().await?;
    Ok(())
}

/// Revokes all that `inviter` invited to: what a member may no longer do, nobody does in their name.
///
/// # Errors
/// Those of the database.
pub(in crate::identity::organizations) async fn revoke_of(
    tx: &mut Tx,
    core: &Core,
    by: &Member,
    inviter: UserId,
) -> Result<()> {
    for gone in store::revoke_of(tx, by.organization, inviter, core.clock.now()).await? {
        let id = gone.id.to_string();
        audit::record_change(tx, core, by, "invitation.revoked", &id, (Some(&gone), None)).await?;
    }
    Ok(())
}
