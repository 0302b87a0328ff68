//! Changes of a password, and replacement of a forgotten one.

use kernel::{
    Core,
    audit::Change,
    caller::{By, Caller, Person, RequestContext},
    checks::Checks,
    error::{Code, Codes, Error, Result},
};

use super::{
    model::{ChangePassword, ResetPassword, gone, invalid_token},
    sign_up::parse_email,
    store,
};
use crate::identity::{
    mail_tokens::{self, Purpose, jobs::SendMail, token_digest},
    password::{PASSWORD_ERRORS, Passwords},
    sessions,
};

/// The codes of [`forgot`].
pub const FORGOT_ERRORS: Codes = &[&[Code::InvalidEmail]];

/// Mails a link to choose a new password, when `email` has an account. Takes as long when it has
/// none.
///
/// # Errors
/// [`FORGOT_ERRORS`].
pub async fn forgot(core: &Core, email: &str, request: &RequestContext) -> Result<()> {
    let email = parse_email(email)?;
    core.write(Caller::anonymous(request), async |unit| {
        unit.audit("user.password_forgotten", "an address", Change::NONE);
        unit.enqueue(&SendMail::ResetPassword { email })
    })
    .await
}

/// The codes of [`reset`].
pub const RESET_ERRORS: Codes = &[PASSWORD_ERRORS, &[Code::MailTokenInvalid]];

/// Sets a new password by a mailed token, which also verifies the address; ends every session, and
/// consumes every other such token.
///
/// # Errors
/// [`RESET_ERRORS`].
pub async fn reset(
    core: &Core,
    passwords: &Passwords,
    wanted: &ResetPassword,
    request: &RequestContext,
) -> Result<()> {
    let by = Caller::anonymous(request);
    let digest = token_digest(&wanted.token).ok_or_else(invalid_token)?;
    let now = core.clock.now();
    let purpose = Purpose::ResetPassword;
    let account = core.read(by, async |tx| Ok(mail_tokens::find_account(tx, &digest, purpose, now).await?));
    let account = account.await?.ok_or_else(invalid_token)?;
    let mut checks = Checks::new();
    wanted.password.check(&mut checks, "/password", &account.email, &account.name);
    checks.finish()?;
    let hash = passwords.hash(&wanted.password).await?;
    core.write(by, async |unit| {
        let now = unit.now();
        // Only one of two concurrent requests with the token finds it unused.
        if !mail_tokens::consume_token(unit, account.id, &digest, purpose, now).await? {
            return Err(invalid_token());
        }
        store::set_password(unit, account.id, &hash, now).await?;
        sessions::revoke_all_of(unit, account.id, None, "the password was reset").await?;
        unit.audit_by(By::anonymous_for(account.id), "user.password_reset", account.id, Change::NONE);
        unit.enqueue(&SendMail::PasswordChanged { user: account.id })
    })
    .await
}

/// The codes of [`change`]: `LoginFailed` when the old password is wrong.
pub const CHANGE_ERRORS: Codes = &[PASSWORD_ERRORS, &[Code::LoginFailed]];

/// Changes the person's password, and ends their other sessions.
///
/// # Errors
/// [`CHANGE_ERRORS`].
pub async fn change(core: &Core, passwords: &Passwords, by: &Person, wanted: &ChangePassword) -> Result<()> {
    let account = core.read(by, async |tx| store::find_by_id(tx, by.user).await?.ok_or_else(gone)).await?;
    if !passwords.verify(&wanted.current_password, account.password_hash.as_deref()).await? {
        let detail = "`current_password` is not the account's password; an account without one gets it by \
                      POST /v1/auth/password/forgot";
        return Err(Error::new(Code::LoginFailed, detail));
    }
    let mut checks = Checks::new();
    wanted.password.check(&mut checks, "/password", &account.email, &account.name);
    checks.finish()?;
    let hash = passwords.hash(&wanted.password).await?;
    core.write(Caller::pre_auth(by), async |unit| {
        let now = unit.now();
        // A thief of a session must not undo what its owner did about that in the meantime.
        let stands = store::lock_password(unit, by.user).await? == account.password_hash
            && sessions::is_live(unit, by.session, now).await?;
        if !stands {
            let detail = "The password or the session was changed in the meantime; log in again";
            return Err(Error::new(Code::LoginFailed, detail));
        }
        store::set_password(unit, by.user, &hash, now).await?;
        mail_tokens::consume_all(unit, by.user, Purpose::ResetPassword, now).await?;
        sessions::revoke_all_of(unit, by.user, Some(by.session), "the password was changed").await?;
        unit.audit("user.password_changed", by.user, Change::NONE);
        unit.enqueue(&SendMail::PasswordChanged { user: by.user })
    })
    .await
}
