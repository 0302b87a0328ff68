//! Logging in.

use super::{LIFETIME, Opened, RefreshToken, store};
use crate::{
    identity::{
        password::{Password, Passwords, is_outdated},
        users,
    },
    mail::Email,
};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::{Actor, RequestContext},
    db::Tx,
    error::{Code, Error, Result},
    ids::UserId,
};

/// Who wants to log in.
#[derive(Debug)]
pub struct Login<'a> {
    /// Their address.
    pub email: &'a str,
    /// Their password.
    pub password: &'a Password,
}

/// Opens a session for who knows the password. The answer takes as long and says the same whether there is no such account, or no such password.
///
/// # Errors
/// [`Code::LoginFailed`]; with the right password [`Code::EmailUnverified`]; [`Code::Overloaded`]; those of the database.
pub async fn login(core: &Core, passwords: &Passwords, wanted: &Login<'_>, request: &RequestContext) -> Result<Opened> {
    let mut tx = core.db.begin(Caller::Door).await?;
    let account = match wanted.email.parse::<Email>() {
        Ok(email) => users::store::find_by_email(&mut tx, &email.key()).await?,
        Err(_) => None,
    };
    // No transaction is held while a password is hashed.
    tx.commit().await?;
    let stored = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = passwords.verify(wanted.password, stored).await?;
    let Some(account) = account.as_ref().filter(|_| right) else {
        // Written down for who has no account as well: it must take as long.
        let (by, subject) = match &account {
            Some(account) => (By::stranger(account.id, request), account.id.to_string()),
            None => (By::nobody(request), "an address without an account".to_owned()),
        };
        let mut tx = core.db.begin(Caller::Door).await?;
        audit::record(&mut tx, core, by, "login.failed", &subject).await?;
        tx.commit().await?;
        return Err(failed());
    };
    if account.email_verified_at.is_none() {
        let detail = "The e-mail address is not verified; open the link that was mailed, or ask for another with POST /v1/auth/verify-email/send";
        return Err(Error::new(Code::EmailUnverified, detail));
    }
    let renewed = match stored.filter(|stored| is_outdated(stored)) {
        Some(stored) => Some((stored, passwords.hash(wanted.password).await?)),
        None => None,
    };
    let mut tx = core.db.begin(Caller::Door).await?;
    // A reset that was quicker has ended every session: none by the old password may follow it.
    let stands = users::store::lock_password(&mut tx, account.id).await?;
    if stands.as_deref() != stored {
        return Err(failed());
    }
    if let Some((stored, renewed)) = &renewed {
        users::store::replace_password(&mut tx, account.id, stored, renewed).await?;
    }
    let opened = open(&mut tx, core, account.id, "password", request).await?;
    tx.commit().await?;
    Ok(opened)
}

fn failed() -> Error {
    Error::new(Code::LoginFailed, "There is no account of that e-mail address and password")
}

/// Adds a session to the caller's transaction. Its id is always a new one.
pub(in crate::identity) async fn open(
    tx: &mut Tx,
    core: &Core,
    user: UserId,
    method: &'static str,
    request: &RequestContext,
) -> Result<Opened> {
    let now = core.clock.now();
    let opened = Opened { user, session: core.ids.next(), refresh: RefreshToken::generate(&core.ids) };
    store::insert(tx, &opened, method, request, now, now + LIFETIME).await?;
    let by = By { actor: Actor::Person(user), ..By::stranger(user, request) };
    audit::record(tx, core, by, "session.opened", &opened.session.to_string()).await?;
    Ok(opened)
}
