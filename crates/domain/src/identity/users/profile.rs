//! What a person sees and changes of their account.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Account, store};
use kernel::{
    Core, audit,
    caller::Person,
    checks::Checks,
    error::{Code, Error, Result},
    version::Expected,
};

/// What can be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What to call them.
    #[schema(min_length = 1, max_length = 100, pattern = "^[^\\u0000-\\u001f\\u007f]*$", example = "Ada Lovelace")]
    pub name: String,
}

/// The person's account.
///
/// # Errors
/// Those of the database.
pub async fn get(core: &Core, by: &Person) -> Result<Account> {
    let mut tx = core.db.begin(by.caller()).await?;
    let account = store::find_account(&mut tx, by.user).await?;
    tx.commit().await?;
    account.ok_or_else(gone)
}

/// Changes the name.
///
/// # Errors
/// A value that breaks a rule; [`Code::VersionMismatch`]; those of the database.
pub async fn rename(core: &Core, by: &Person, wanted: &Profile, expected: Expected) -> Result<Account> {
    let mut checks = Checks::new();
    checks.line("/name", &wanted.name, 1..=100);
    checks.finish()?;
    let mut tx = core.db.begin(by.caller()).await?;
    let before = store::lock_account(&mut tx, by.user).await?.ok_or_else(gone)?;
    expected.check(before.version)?;
    let now = core.clock.now();
    let after = Account { name: wanted.name.clone(), version: before.version + 1, updated_at: now, ..before.clone() };
    store::rename(&mut tx, &after).await?;
    audit::record_change(&mut tx, core, by, "user.renamed", &by.user.to_string(), (Some(&before), Some(&after)))
        .await?;
    tx.commit().await?;
    Ok(after)
}

/// The session outlived the account, for the few seconds that credentials are remembered.
pub(super) fn gone() -> Error {
    Error::new(Code::AccessTokenInvalid, "The account is no more")
}
