//! Creating an organization.

use kernel::{
    Core, Unit,
    answer::Answer,
    audit::Change,
    caller::{By, Caller, Person, Role},
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Error, Result},
    ids::UserId,
};

use super::{
    limits::MAX_OF_A_PERSON,
    model::{NewOrganization, Organization},
    store,
};

/// The codes of [`create`].
pub const CREATE_ERRORS: Codes = &[LINE_ERRORS, &[Code::LimitReached]];

/// Creates an organization and makes `by` its owner.
///
/// # Errors
/// [`CREATE_ERRORS`].
pub async fn create(core: &Core, by: &Person, wanted: &NewOrganization) -> Result<Answer<Organization>> {
    let mut checks = Checks::new();
    checks.line("/name", &wanted.name, 1..=100);
    checks.finish()?;
    core.write_once(Caller::joining(by), async |unit| {
        let now = unit.now();
        let new = Organization {
            id: core.ids.next(),
            name: wanted.name.clone(),
            role: Role::Owner,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        require_room(unit, by.user).await?;
        store::insert_organization(unit, new.id, &new.name, now).await?;
        store::insert_membership(unit, new.id, by.user, Role::Owner, now).await?;
        let by = By { organization: Some(new.id), ..By::person(by.user) };
        unit.audit_by(by, "organization.created", new.id, Change::created(&new)?);
        Answer::created(&new)
    })
    .await
}

/// Requires that the person may become a member of another organization. Concurrent calls for one
/// person wait for each other.
pub(super) async fn require_room(unit: &mut Unit<'_>, user: UserId) -> Result<()> {
    if store::count_of_person(unit, user).await? < MAX_OF_A_PERSON {
        return Ok(());
    }
    let detail =
        format!("A person can be a member of at most {MAX_OF_A_PERSON} organizations; leave one first");
    Err(Error::new(Code::LimitReached, detail))
}
