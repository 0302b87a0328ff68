//! The way into an organisation.

use super::store;
use kernel::{
    Core,
    caller::{Member, Permission, Person},
    db::{Caller, Tx},
    error::{Code, Error, Result},
    ids::OrganizationId,
};

/// Begins a transaction in `organization` for a member who has `permission`. To who is no member there is no such organisation.
///
/// # Errors
/// [`Code::NotFound`] for unknown and foreign organisations alike; [`Code::PermissionMissing`]; those of the database.
pub async fn enter(
    core: &Core,
    person: &Person,
    organization: OrganizationId,
    permission: Permission,
) -> Result<(Tx, Member)> {
    let mut tx = core.db.begin(Caller::Member(person.user, organization)).await?;
    let member = member(&mut tx, person, organization, permission).await?;
    Ok((tx, member))
}

/// [`enter`], and until the transaction ends nobody else does by this way: for what depends on how many there are.
///
/// # Errors
/// As [`enter`].
pub async fn enter_alone(
    core: &Core,
    person: &Person,
    organization: OrganizationId,
    permission: Permission,
) -> Result<(Tx, Member)> {
    let mut tx = core.db.begin(Caller::Member(person.user, organization)).await?;
    // Before the role is read: what another is changing right now may be this very caller's role.
    store::lock(&mut tx, organization).await?;
    let member = member(&mut tx, person, organization, permission).await?;
    Ok((tx, member))
}

async fn member(tx: &mut Tx, person: &Person, organization: OrganizationId, permission: Permission) -> Result<Member> {
    let role = store::role_of(tx, organization, person.user).await?.ok_or_else(unknown)?;
    let member = Member { person: person.clone(), organization, role };
    member.require(permission)?;
    Ok(member)
}

/// The same for what does not exist and what is somebody else's.
pub(super) fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no organisation of that id, or the caller is not a member of it")
}
