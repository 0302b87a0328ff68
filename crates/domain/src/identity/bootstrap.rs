//! The first organization, its project and its first key, for operators who start without an
//! account.

use kernel::{
    Core, DbScope,
    audit::Change,
    caller::{Actor, By, Caller, Permissions},
    checks::Checks,
    error::Result,
    ids::{OrganizationId, ProjectId},
};

use super::{
    api_keys::{self, ApiKey, Key},
    organizations,
};

/// Creates an organization and a project named `name`, and an API key for it. Only the caller has
/// the key's text.
///
/// # Errors
/// [`TEXT_ERRORS`](kernel::checks::TEXT_ERRORS) for the name.
pub async fn bootstrap(core: &Core, name: &str, environment: &str) -> Result<(ProjectId, ApiKey)> {
    let mut checks = Checks::new();
    checks.text("name", name, 1..=100);
    checks.finish()?;
    let (organization, project): (OrganizationId, ProjectId) = (core.ids.next(), core.ids.next());
    let key = ApiKey::generate(&core.ids, environment);
    core.write(Caller::system(DbScope::PreAuth), async |unit| {
        let now = unit.now();
        organizations::insert_organization(unit, organization, name, now).await?;
        organizations::insert_project(unit, project, organization, name, now).await?;
        let about = Key::new(&key, "bootstrap", Permissions::scopes(), Actor::System, now);
        api_keys::insert(unit, project, &about, &key.secret_hash()).await?;
        let by = By { project: Some(project), ..By::system() };
        unit.audit_by(by, "project.created", project, Change::NONE);
        unit.audit_by(by, "api_key.created", about.id, Change::created(&about)?);
        Ok(())
    })
    .await?;
    Ok((project, key))
}
