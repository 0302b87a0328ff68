//! The way into an organisation.

use super::store;
use crate::{
    Core,
    db::{Caller, Tx},
    error::{Error, Result},
    identity::{Member, Permission, Person},
    ids::OrganizationId,
};

/// Begins a transaction in `organization` for a member who has `permission`. To who is no member there is no such organisation.
///
/// # Errors
/// [`Code::NotFound`](crate::Code::NotFound) for unknown and foreign organisations alike;
/// [`Code::PermissionMissing`](crate::Code::PermissionMissing); those of the database.
pub async fn enter(
    core: &Core,
    person: &Person,
    organization: OrganizationId,
    permission: Permission,
) -> Result<(Tx, Member)> {
    let mut tx = core.db.begin(Caller::Member(person.user, organization)).await?;
    let role = store::role_of(&mut tx, organization, person.user).await?;
    let role = role.ok_or_else(|| Error::not_found("organisation of that id"))?.parse().map_err(Error::internal)?;
    let member = Member { person: person.clone(), organization, role };
    member.require(permission)?;
    Ok((tx, member))
}
