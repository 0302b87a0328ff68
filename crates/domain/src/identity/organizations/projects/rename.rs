//! Giving a project another name.

use super::{super::Naming, Project, store, unknown};
use kernel::{
    Core, audit,
    caller::{Permission, Principal},
    error::Result,
    version::Expected,
};

/// Renames the project that the caller is in.
///
/// # Errors
/// Values that break a rule; [`Code::PermissionMissing`](kernel::Code::PermissionMissing),
/// [`Code::VersionMismatch`](kernel::Code::VersionMismatch); those of the database.
pub async fn rename(core: &Core, by: &Principal, wanted: &Naming, expected: Expected) -> Result<Project> {
    by.require(Permission::ProjectWrite)?;
    wanted.check()?;
    let mut tx = core.db.begin(by.caller()).await?;
    store::lock(&mut tx, by.project).await?;
    let before = store::find(&mut tx, by.project).await?.ok_or_else(unknown)?;
    expected.check(before.version)?;
    let after = Project {
        name: wanted.name.clone(),
        version: before.version + 1,
        updated_at: core.clock.now(),
        ..before.clone()
    };
    store::update(&mut tx, &after).await?;
    let change = (Some(&before), Some(&after));
    audit::record_change(&mut tx, core, by, "project.renamed", &after.id.to_string(), change).await?;
    tx.commit().await?;
    Ok(after)
}
