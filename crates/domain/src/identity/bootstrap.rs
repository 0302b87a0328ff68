//! The first organisation, its project and its first key, for those who start without an account.

use super::{ApiKey, api_keys, organizations};
use kernel::caller::{Permissions, Principal};
use kernel::{
    Caller, Core, audit,
    checks::Checks,
    error::Result,
    ids::{OrganizationId, ProjectId},
};

/// Makes an organisation and a project named `name`, and an API key for it. The key's text is in nobody's hands but the caller's.
///
/// # Errors
/// A name that is empty, too long or holds a NUL; those of the database.
pub async fn bootstrap(core: &Core, name: &str, environment: &str) -> Result<(ProjectId, ApiKey)> {
    let mut checks = Checks::new();
    checks.text("name", name, 1..=100);
    checks.finish()?;
    let (organization, project): (OrganizationId, ProjectId) = (core.ids.next(), core.ids.next());
    let key = ApiKey::generate(&core.ids, environment);
    let by = Principal::system(project);
    let now = core.clock.now();

    let mut tx = core.db.begin(Caller::Door).await?;
    organizations::store::insert_organization(&mut tx, organization, name, now).await?;
    organizations::store::insert_project(&mut tx, project, organization, name, now).await?;
    let about = api_keys::Key::of(&key, "bootstrap", Permissions::scopes(), by.actor, now);
    api_keys::store::insert(&mut tx, project, &about, &key.secret_hash()).await?;
    audit::record(&mut tx, core, &by, "project.created", &project.to_string()).await?;
    audit::record(&mut tx, core, &by, "api_key.created", &key.id().to_string()).await?;
    tx.commit().await?;
    Ok((project, key))
}
