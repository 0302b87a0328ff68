//! Making a project.

use super::{
    super::{MAX_PROJECTS, Naming, enter_alone, store::insert_project},
    Project, store,
};
use kernel::{
    Core, audit,
    caller::{Permission, Person, Plan},
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::OrganizationId,
};

/// Makes a project in the organisation.
///
/// # Errors
/// Values that break a rule; [`Code::NotFound`], [`Code::PermissionMissing`], [`Code::LimitReached`]; those of an `Idempotency-Key`; those of the
/// database.
pub async fn create(
    core: &Core,
    by: &Person,
    organization: OrganizationId,
    wanted: &Naming,
    once: Option<&Once>,
) -> Result<Project> {
    wanted.check()?;
    let (mut tx, member) = enter_alone(core, by, organization, Permission::ProjectWrite).await?;
    if let Some(first) = idempotency::claim(once, &mut tx, core).await? {
        return Ok(first);
    }
    if store::count(&mut tx, organization).await? >= MAX_PROJECTS {
        let detail = format!("An organisation can have at most {MAX_PROJECTS} projects");
        return Err(Error::new(Code::LimitReached, detail));
    }
    let now = core.clock.now();
    let made = Project {
        id: core.ids.next(),
        organization_id: Some(organization),
        name: wanted.name.clone(),
        plan: Plan::Free,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    insert_project(&mut tx, made.id, organization, &made.name, now).await?;
    let change = (None, Some(&made));
    audit::record_change(&mut tx, core, &member, "project.created", &made.id.to_string(), change).await?;
    idempotency::keep(once, &mut tx, core, &made).await?;
    tx.commit().await?;
    Ok(made)
}
