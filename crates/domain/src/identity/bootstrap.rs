//! The first project and its first key, until there are accounts to make them.

use super::{ApiKey, Principal, store};
use crate::{Core, audit, check::Checks, error::Result, ids::ProjectId};

/// Makes a project named `name` and an API key for it. The key's text is in nobody's hands but the caller's.
///
/// # Errors
/// A name that is empty, too long or holds a NUL; those of the database.
pub async fn bootstrap(core: &Core, name: &str, environment: &str) -> Result<(ProjectId, ApiKey)> {
    let mut checks = Checks::new();
    checks.text("name", name, 1..=100);
    checks.finish()?;
    let project = core.ids.next();
    let key = ApiKey::generate(&core.ids, environment);
    let by = Principal::system(project);

    let mut tx = core.db.begin(by.caller()).await?;
    store::insert_project(&mut tx, project, name, core.clock.now()).await?;
    store::insert_key(&mut tx, project, &key, "bootstrap", core.clock.now()).await?;
    audit::record(&mut tx, core, &by, "project.created", &project.to_string()).await?;
    audit::record(&mut tx, core, &by, "api_key.created", &key.id().to_string()).await?;
    tx.commit().await?;
    Ok((project, key))
}
