//! Removing a passkey.

use kernel::{
    Core,
    audit::Change,
    caller::Person,
    error::{Code, Codes, Error, Result},
    ids::PasskeyId,
};

use super::store;

/// The codes of [`remove`].
pub const REMOVE_ERRORS: Codes = &[&[Code::NotFound]];

/// Removes a passkey: it can no longer log in. Sessions that it opened continue.
///
/// # Errors
/// [`REMOVE_ERRORS`].
pub async fn remove(core: &Core, by: &Person, id: PasskeyId) -> Result<()> {
    core.write(by, async |unit| {
        let removed = store::delete(unit, by.user, id).await?;
        let none = || Error::new(Code::NotFound, "The person has no passkey of that id");
        unit.audit("passkey.removed", id, Change::removed(&removed.ok_or_else(none)?)?);
        Ok(())
    })
    .await
}
