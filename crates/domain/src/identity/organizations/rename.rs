//! Giving an organisation another name.

use super::{Naming, Organization, enter::unknown, enter_alone, store};
use kernel::{
    Core, audit,
    caller::{Permission, Person},
    error::Result,
    ids::OrganizationId,
    version::Expected,
};

/// Renames the organisation.
///
/// # Errors
/// Values that break a rule; [`Code::NotFound`](kernel::Code::NotFound), [`Code::PermissionMissing`](kernel::Code::PermissionMissing),
/// [`Code::VersionMismatch`](kernel::Code::VersionMismatch); those of the database.
pub async fn rename(
    core: &Core,
    by: &Person,
    id: OrganizationId,
    wanted: &Naming,
    expected: Expected,
) -> Result<Organization> {
    wanted.check()?;
    let (mut tx, member) = enter_alone(core, by, id, Permission::OrganizationWrite).await?;
    let before = store::find(&mut tx, id, by.user).await?.ok_or_else(unknown)?;
    expected.check(before.version)?;
    let after = Organization {
        name: wanted.name.clone(),
        version: before.version + 1,
        updated_at: core.clock.now(),
        ..before.clone()
    };
    store::update(&mut tx, &after).await?;
    let change = (Some(&before), Some(&after));
    audit::record_change(&mut tx, core, &member, "organization.renamed", &id.to_string(), change).await?;
    tx.commit().await?;
    Ok(after)
}
