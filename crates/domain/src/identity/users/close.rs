//! Erasure of an account: the request for it, and its cancellation.
//!
//! ```text
//! close ──14 days──▶ erase: sessions, passkeys, tokens and memberships are deleted; the id of the
//!   │                account stays, because the audit log names it
//!   └──restore──▶ as before
//! ```

use chrono::TimeDelta;
use kernel::{
    Core,
    audit::Change,
    caller::{Caller, Person},
    error::{Code, Codes, Error, Result},
};

use super::{
    model::{Account, ErasureReceipt, gone},
    store,
};
use crate::identity::sessions;

/// The time within which an erasure can be canceled.
const GRACE: TimeDelta = TimeDelta::days(14);

/// The codes of [`close`]: `LastOwner` when an organization with other members would be left
/// without an owner.
pub const CLOSE_ERRORS: Codes = &[&[Code::LastOwner]];

/// Asks for the account to be erased. A second request gets the same answer as the first.
///
/// # Errors
/// [`CLOSE_ERRORS`].
pub async fn close(core: &Core, by: &Person) -> Result<ErasureReceipt> {
    core.write(Caller::pre_auth(by), async |unit| {
        let before = store::lock_account(unit, by.user).await?.ok_or_else(gone)?;
        if let Some(erase_at) = before.erase_at {
            return Ok(ErasureReceipt { user: by.user, requested_at: erase_at - GRACE, erase_at });
        }
        if let Some(organization) = store::find_owned_alone(unit, by.user).await? {
            let detail = format!(
                "{organization} has other members and no other owner: make one of them an owner first"
            );
            return Err(Error::new(Code::LastOwner, detail));
        }
        let now = unit.now();
        let after = Account {
            erase_at: Some(now + GRACE),
            version: before.version + 1,
            updated_at: now,
            ..before.clone()
        };
        store::set_erasure(unit, &after).await?;
        sessions::revoke_all_of(unit, by.user, Some(by.session), "the account is being closed").await?;
        unit.audit("user.erasure_requested", by.user, Change::updated(&before, &after)?);
        Ok(ErasureReceipt { user: by.user, requested_at: now, erase_at: now + GRACE })
    })
    .await
}

/// The codes of [`restore`].
pub const RESTORE_ERRORS: Codes = &[&[Code::NotFound]];

/// Cancels the erasure.
///
/// # Errors
/// [`RESTORE_ERRORS`]: `NotFound` when no erasure was requested.
pub async fn restore(core: &Core, by: &Person) -> Result<()> {
    core.write(by, async |unit| {
        let before = store::lock_account(unit, by.user).await?.ok_or_else(gone)?;
        if before.erase_at.is_none() {
            return Err(Error::new(
                Code::NotFound,
                "The account is not being erased: there is nothing to cancel",
            ));
        }
        let now = unit.now();
        let after =
            Account { erase_at: None, version: before.version + 1, updated_at: now, ..before.clone() };
        store::set_erasure(unit, &after).await?;
        unit.audit("user.erasure_withdrawn", by.user, Change::updated(&before, &after)?);
        Ok(())
    })
    .await
}
