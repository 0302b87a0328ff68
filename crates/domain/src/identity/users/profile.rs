//! A person's own account.

use kernel::{
    Core,
    audit::Change,
    caller::Person,
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Result},
    patch::Patch,
    version::Expected,
};

use super::{
    model::{Account, ProfilePatch, gone},
    store,
};

/// Returns the person's account.
///
/// # Errors
/// [`Code::AccessTokenInvalid`] when it was erased just now.
pub async fn get(core: &Core, by: &Person) -> Result<Account> {
    core.read(by, async |tx| store::find_account(tx, by.user).await?.ok_or_else(gone)).await
}

/// The codes of [`update`].
pub const UPDATE_ERRORS: Codes = &[LINE_ERRORS, &[Code::VersionMismatch]];

/// Changes the account.
///
/// # Errors
/// [`UPDATE_ERRORS`].
pub async fn update(core: &Core, by: &Person, wanted: &ProfilePatch, expected: Expected) -> Result<Account> {
    let mut checks = Checks::new();
    checks.optional_line("/name", wanted.name.as_set(), 1..=100);
    checks.finish()?;
    core.write(by, async |unit| {
        let before = store::lock_account(unit, by.user).await?.ok_or_else(gone)?;
        expected.check(before.version)?;
        let Patch::Set(name) = wanted.name.clone() else { return Ok(before) };
        let after = Account { name, version: before.version + 1, updated_at: unit.now(), ..before.clone() };
        store::rename(unit, &after).await?;
        unit.audit("user.renamed", by.user, Change::updated(&before, &after)?);
        Ok(after)
    })
    .await
}
