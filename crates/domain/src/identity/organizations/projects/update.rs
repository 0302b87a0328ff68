//! Changing a project.

use kernel::{
    Core,
    audit::Change,
    caller::{Authorized, allow},
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Result},
    patch::Patch,
    version::Expected,
};

use super::{
    model::{Project, ProjectPatch, unknown},
    store,
};

/// The codes of [`update`].
pub const UPDATE_ERRORS: Codes = &[LINE_ERRORS, &[Code::VersionMismatch]];

/// Changes the project that the caller is in.
///
/// # Errors
/// [`UPDATE_ERRORS`].
pub async fn update(
    core: &Core,
    by: &Authorized<allow::ProjectWrite>,
    wanted: &ProjectPatch,
    expected: Expected,
) -> Result<Project> {
    let mut checks = Checks::new();
    checks.optional_line("/name", wanted.name.as_set(), 1..=100);
    checks.finish()?;
    core.write(by, async |unit| {
        store::lock(unit, by.project).await?;
        let before = store::find(unit, by.project).await?.ok_or_else(unknown)?;
        expected.check(before.version)?;
        let Patch::Set(name) = wanted.name.clone() else { return Ok(before) };
        let after = Project { name, version: before.version + 1, updated_at: unit.now(), ..before.clone() };
        store::update(unit, &after).await?;
        unit.audit("project.renamed", after.id, Change::updated(&before, &after)?);
        Ok(after)
    })
    .await
}
