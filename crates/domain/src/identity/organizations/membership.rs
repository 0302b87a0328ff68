//! Transactions in an organization, for a member who has a permission.

use std::{fmt, marker::PhantomData};

use kernel::{
    Core, Unit,
    answer::{Answer, Resource},
    caller::{Allows, Caller, HasRequest, Member, Person, RequestContext},
    error::{Code, Codes, Error, Result},
    ids::OrganizationId,
};
use sqlx::PgConnection;

use super::store;

/// A person who acts as a member of an organization, by permission `P`. [`read`], [`write`] and
/// [`write_once`] check in their own transaction that the person is a member and has it.
pub struct AsMember<P> {
    /// The person.
    pub person: Person,
    /// The organization.
    pub organization: OrganizationId,
    permission: PhantomData<fn() -> P>,
}

impl<P: Allows> AsMember<P> {
    /// Creates the pair; nothing is checked yet.
    pub fn new(person: Person, organization: OrganizationId) -> Self {
        Self { person, organization, permission: PhantomData }
    }

    /// Returns the same person, acting by permission `Q`.
    pub fn by<Q: Allows>(&self) -> AsMember<Q> {
        AsMember::new(self.person.clone(), self.organization)
    }
}

impl<P> HasRequest for AsMember<P> {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.person.request_mut()
    }
}

impl<P: Allows> fmt::Debug for AsMember<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = (P::PERMISSION, &self.person, self.organization);
        f.debug_tuple("AsMember").field(&fields).finish()
    }
}

/// The codes of [`read`], [`write`] and [`write_once`]. Returns `NotFound` to non-members, so that
/// they cannot tell it exists.
pub const MEMBER_ERRORS: Codes = &[&[Code::NotFound, Code::PermissionMissing]];

/// Reads in the organization, for a member who has permission `P`.
///
/// # Errors
/// [`MEMBER_ERRORS`], and those of `body`.
pub async fn read<P: Allows, R>(
    core: &Core,
    by: &AsMember<P>,
    body: impl AsyncFnOnce(&mut PgConnection) -> Result<R>,
) -> Result<R> {
    core.read(Caller::in_organization(&by.person, by.organization), async |tx| {
        member(tx, by).await?;
        body(tx).await
    })
    .await
}

/// Writes in the organization, for a member who has permission `P`. Until the transaction ends, no
/// other one writes there: checks that count members or owners stay true.
///
/// # Errors
/// [`MEMBER_ERRORS`], and those of `body`.
pub async fn write<P: Allows, R>(
    core: &Core,
    by: &AsMember<P>,
    body: impl AsyncFnOnce(&mut Unit<'_>, Member) -> Result<R>,
) -> Result<R> {
    let mut unit = Unit::begin(core, Caller::in_organization(&by.person, by.organization)).await?;
    match enter(&mut unit, by).await {
        Ok(me) => unit.run(async |unit| body(unit, me).await).await,
        Err(refused) => unit.refuse(refused).await,
    }
}

/// Runs [`write`] for a request that may be sent twice: with an `Idempotency-Key`, the second gets
/// the first answer, if the caller still has the permission.
///
/// # Errors
/// As [`write`].
pub async fn write_once<P: Allows, T: Resource>(
    core: &Core,
    by: &AsMember<P>,
    body: impl AsyncFnOnce(&mut Unit<'_>, Member) -> Result<Answer<T>>,
) -> Result<Answer<T>> {
    let mut unit = Unit::begin(core, Caller::in_organization(&by.person, by.organization)).await?;
    match enter(&mut unit, by).await {
        Ok(me) => unit.run_once(async |unit| body(unit, me).await).await,
        Err(refused) => unit.refuse(refused).await,
    }
}

async fn enter<P: Allows>(unit: &mut Unit<'_>, by: &AsMember<P>) -> Result<Member> {
    // Before the role is read: another request may be changing this very caller's role.
    store::lock(unit, by.organization).await?;
    member(unit, by).await
}

async fn member<P: Allows>(tx: &mut PgConnection, by: &AsMember<P>) -> Result<Member> {
    let (user, organization) = (by.person.user, by.organization);
    let role = store::find_role(tx, organization, user).await?.ok_or_else(unknown)?;
    let member = Member { user, organization, role };
    member.require(P::PERMISSION)?;
    Ok(member)
}

/// Returns the same error for an organization that does not exist and one that the caller is no
/// member of.
pub(super) fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no organization of that id, or the caller is not a member of it")
}
