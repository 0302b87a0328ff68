//! Changing an organization.

use kernel::{
    Core,
    audit::Change,
    caller::allow,
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Result},
    patch::Patch,
    version::Expected,
};

use super::{
    membership::{AsMember, unknown, write},
    model::{Organization, OrganizationPatch},
    store,
};

/// The codes of [`update`], beside [`MEMBER_ERRORS`](super::MEMBER_ERRORS).
pub const UPDATE_ERRORS: Codes = &[LINE_ERRORS, &[Code::VersionMismatch]];

/// Changes the organization.
///
/// # Errors
/// [`UPDATE_ERRORS`], [`MEMBER_ERRORS`](super::MEMBER_ERRORS).
pub async fn update(
    core: &Core,
    by: &AsMember<allow::OrganizationWrite>,
    wanted: &OrganizationPatch,
    expected: Expected,
) -> Result<Organization> {
    let mut checks = Checks::new();
    checks.optional_line("/name", wanted.name.as_set(), 1..=100);
    checks.finish()?;
    write(core, by, async |unit, _| {
        let before = store::find(unit, by.organization, by.person.user).await?.ok_or_else(unknown)?;
        expected.check(before.version)?;
        let Patch::Set(name) = wanted.name.clone() else { return Ok(before) };
        let after =
            Organization { name, version: before.version + 1, updated_at: unit.now(), ..before.clone() };
        store::update(unit, &after).await?;
        unit.audit("organization.renamed", by.organization, Change::updated(&before, &after)?);
        Ok(after)
    })
    .await
}
