//! Logging in with a password.

use kernel::{
    Core,
    audit::Change,
    caller::{By, Caller, RequestContext},
    error::{Code, Codes, Error, Result},
};

use super::{model::Opened, open::open};
use crate::{
    identity::{
        password::{Password, Passwords, is_outdated},
        users::{self, Credentials},
    },
    mail::Email,
};

/// An address and a password.
#[derive(Debug)]
pub struct Login<'a> {
    /// The address.
    pub email: &'a str,
    /// The password.
    pub password: &'a Password,
}

/// The codes of [`login`]. `EmailUnverified` comes with the right password only.
pub const LOGIN_ERRORS: Codes = &[&[Code::LoginFailed, Code::EmailUnverified]];

/// Logs in with a password: opens a session. The answer takes as long and reads the same whether
/// the account does not exist or the password is wrong.
///
/// # Errors
/// [`LOGIN_ERRORS`].
pub async fn login(
    core: &Core,
    passwords: &Passwords,
    wanted: &Login<'_>,
    request: &RequestContext,
) -> Result<Opened> {
    let by = Caller::anonymous(request);
    let email = wanted.email.parse::<Email>().ok();
    let account = core
        .read(by, async |tx| match &email {
            Some(email) => Ok(users::find_by_email(tx, &email.key()).await?),
            None => Ok(None),
        })
        .await?;
    // No transaction is held while a password is hashed.
    let stored = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = passwords.verify(wanted.password, stored).await?;
    let Some(account) = account.as_ref().filter(|_| right) else {
        return fail(core, by, account.as_ref()).await;
    };
    if account.email_verified_at.is_none() {
        let detail = "The e-mail address is not verified; open the link that was mailed, or ask for another \
            with POST /v1/auth/verify-email/send";
        return Err(Error::new(Code::EmailUnverified, detail));
    }
    let renewed = match stored.filter(|stored| is_outdated(stored)) {
        Some(stored) => Some((stored, passwords.hash(wanted.password).await?)),
        None => None,
    };
    core.write(by, async |unit| {
        // A faster reset has ended every session: no login with the old password may follow it.
        if users::lock_password(unit, account.id).await?.as_deref() != stored {
            return Err(failed());
        }
        if let Some((stored, renewed)) = &renewed {
            users::replace_password(unit, account.id, stored, renewed).await?;
        }
        open(unit, account.id, "password").await
    })
    .await
}

/// Records that a login failed, also for an address that has no account, because that must take as
/// long.
async fn fail(core: &Core, by: Caller<'_>, account: Option<&Credentials>) -> Result<Opened> {
    let (who, subject) = match account {
        Some(account) => (By::anonymous_for(account.id), account.id.to_string()),
        None => (By::anonymous(), "an address without an account".to_owned()),
    };
    core.write(by, async |unit| {
        unit.audit_by(who, "login.failed", subject, Change::NONE);
        Ok(())
    })
    .await?;
    Err(failed())
}

fn failed() -> Error {
    Error::new(Code::LoginFailed, "There is no account of that e-mail address and password")
}
