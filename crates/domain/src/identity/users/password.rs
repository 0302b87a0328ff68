//! Changing a password, and replacing one that was forgotten.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    jobs::SendMail,
    mail::{Purpose, token_digest},
    signup::{parse, send},
    store,
};
use crate::identity::{
    password::{Password, Passwords},
    sessions,
};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::{Person, RequestContext},
    checks::Checks,
    error::{Code, Error, Result},
    ports::Topic,
};

/// A new password, by a token that was mailed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// From the link.
    #[schema(max_length = 64, pattern = "^hfm_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    pub token: String,
    /// The new password.
    pub password: Password,
}

/// A new password, by the old one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The old password.
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub current_password: Password,
    /// The new password.
    pub password: Password,
}

/// Mails a link to choose a new password, when `email` has an account. Takes as long when it has none.
///
/// # Errors
/// [`Code::InvalidEmail`]; those of the database.
pub async fn forgot(core: &Core, email: &str, request: &RequestContext) -> Result<()> {
    let email = parse(email)?;
    let mut tx = core.db.begin(Caller::Door).await?;
    audit::record(&mut tx, core, By::nobody(request), "user.password_forgotten", "an address").await?;
    send(&mut tx, core, request, SendMail::ResetPassword { email }).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(())
}

/// Sets a new password by a mailed token, which also proves the address; ends every session, and uses up every other such token.
///
/// # Errors
/// [`Code::MailTokenInvalid`]; a password that breaks a rule; those of the database.
pub async fn reset(core: &Core, passwords: &Passwords, wanted: &ResetPassword, request: &RequestContext) -> Result<()> {
    let digest = token_digest(&wanted.token).ok_or_else(invalid_token)?;
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Door).await?;
    let account = store::find_by_token(&mut tx, &digest, Purpose::Reset.as_str(), now).await?;
    tx.commit().await?;
    let account = account.ok_or_else(invalid_token)?;
    let mut checks = Checks::new();
    wanted.password.check(&mut checks, "/password", &account.email, &account.name);
    checks.finish()?;
    let hash = passwords.hash(&wanted.password).await?;

    let mut tx = core.db.begin(Caller::Door).await?;
    // Of two who bring it at once, one finds it unused.
    if !store::use_token(&mut tx, account.id, &digest, Purpose::Reset.as_str(), now).await? {
        return Err(invalid_token());
    }
    store::set_password(&mut tx, account.id, &hash, now).await?;
    sessions::store::revoke_all_of(&mut tx, account.id, None, "the password was reset", now).await?;
    audit::record(&mut tx, core, By::stranger(account.id, request), "user.password_reset", &account.id.to_string())
        .await?;
    send(&mut tx, core, request, SendMail::PasswordChanged { user: account.id }).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(())
}

/// Changes the person's password, and ends their other sessions.
///
/// # Errors
/// [`Code::LoginFailed`] when the old one is wrong; a password that breaks a rule; those of the database.
pub async fn change(core: &Core, passwords: &Passwords, by: &Person, wanted: &ChangePassword) -> Result<()> {
    let mut tx = core.db.begin(by.caller()).await?;
    let account = store::find_by_id(&mut tx, by.user).await?.ok_or_else(super::profile::gone)?;
    tx.commit().await?;
    if !passwords.verify(&wanted.current_password, account.password_hash.as_deref()).await? {
        let detail = "`current_password` is not the account's password; an account without one gets it by POST /v1/auth/password/forgot";
        return Err(Error::new(Code::LoginFailed, detail));
    }
    let mut checks = Checks::new();
    wanted.password.check(&mut checks, "/password", &account.email, &account.name);
    checks.finish()?;
    let hash = passwords.hash(&wanted.password).await?;

    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Door).await?;
    // Whoever holds a stolen session must not undo what its owner did about that in the meantime.
    let still = store::lock_password(&mut tx, by.user).await? == account.password_hash
        && sessions::store::lives(&mut tx, by.session, now).await?;
    if !still {
        return Err(Error::new(
            Code::LoginFailed,
            "The password or the session was changed in the meantime; log in again",
        ));
    }
    store::set_password(&mut tx, by.user, &hash, now).await?;
    store::use_up_tokens(&mut tx, by.user, Purpose::Reset.as_str(), now).await?;
    sessions::store::revoke_all_of(&mut tx, by.user, Some(by.session), "the password was changed", now).await?;
    audit::record(&mut tx, core, by, "user.password_changed", &by.user.to_string()).await?;
    send(&mut tx, core, &by.request, SendMail::PasswordChanged { user: by.user }).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(())
}

/// The same for every reason.
pub(super) fn invalid_token() -> Error {
    Error::new(Code::MailTokenInvalid, "The token is unknown, expired, or was used before; ask for another mail")
}
