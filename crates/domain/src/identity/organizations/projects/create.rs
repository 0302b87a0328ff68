//! Creating a project.

use kernel::{
    Core,
    answer::Answer,
    audit::Change,
    caller::{Plan, allow},
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Error, Result},
};

use super::{
    model::{NewProject, Project},
    store,
};
use crate::identity::organizations::{
    limits::MAX_PROJECTS,
    membership::{AsMember, write_once},
    store::insert_project,
};

/// The codes of [`create`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub const CREATE_ERRORS: Codes = &[LINE_ERRORS, &[Code::LimitReached]];

/// Creates a project in the organization.
///
/// # Errors
/// [`CREATE_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn create(
    core: &Core,
    by: &AsMember<allow::ProjectWrite>,
    wanted: &NewProject,
) -> Result<Answer<Project>> {
    let mut checks = Checks::new();
    checks.line("/name", &wanted.name, 1..=100);
    checks.finish()?;
    write_once(core, by, async |unit, _| {
        if store::count(unit, by.organization).await? >= MAX_PROJECTS {
            let detail = format!("An by.organization can have at most {MAX_PROJECTS} projects");
            return Err(Error::new(Code::LimitReached, detail));
        }
        let now = unit.now();
        let new = Project {
            id: core.ids.next(),
            organization_id: by.organization,
            name: wanted.name.clone(),
            plan: Plan::Free,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        insert_project(unit, new.id, by.organization, &new.name, now).await?;
        unit.audit("project.created", new.id, Change::created(&new)?);
        Answer::created(&new)
    })
    .await
}
