//! Verifying an address.

use kernel::{
    Core,
    audit::Change,
    caller::{By, Caller, RequestContext},
    error::{Code, Codes, Error, Result},
};

use super::{model::invalid_token, store};
use crate::identity::{
    mail_tokens::{self, Purpose, token_digest},
    password::{Password, Passwords},
    sessions::{self, Opened},
};

/// The token that was mailed, and the password that was chosen.
#[derive(Debug)]
pub struct Verification<'a> {
    /// The token of the link.
    pub token: &'a str,
    /// The password, as chosen at sign-up.
    pub password: &'a Password,
}

/// The codes of [`verify`].
pub const VERIFY_ERRORS: Codes = &[&[Code::MailTokenInvalid, Code::LoginFailed]];

/// Verifies the address, and logs in. It takes the password as well: an attacker who signs up with
/// somebody else's address, and waits for them to open the link, must not get an open account with
/// a password of the attacker's own.
///
/// # Errors
/// [`VERIFY_ERRORS`].
pub async fn verify(
    core: &Core,
    passwords: &Passwords,
    wanted: &Verification<'_>,
    request: &RequestContext,
) -> Result<Opened> {
    let by = Caller::anonymous(request);
    let digest = token_digest(wanted.token).ok_or_else(invalid_token)?;
    let now = core.clock.now();
    let purpose = Purpose::VerifyEmail;
    let account = core.read(by, async |tx| Ok(mail_tokens::find_account(tx, &digest, purpose, now).await?));
    let account = account.await?.ok_or_else(invalid_token)?;
    if !passwords.verify(wanted.password, account.password_hash.as_deref()).await? {
        let detail = "The password is not the one that was chosen at sign-up; choose a new one with \
                      POST /v1/auth/password/forgot";
        return Err(Error::new(Code::LoginFailed, detail));
    }
    core.write(by, async |unit| {
        let now = unit.now();
        // The password that was checked must still be the account's: somebody may have signed up
        // anew meanwhile.
        let consumed = mail_tokens::consume_token(unit, account.id, &digest, purpose, now).await?;
        let stands = store::verify_email(unit, account.id, account.password_hash.as_deref(), now).await?;
        if !consumed || !stands {
            return Err(invalid_token());
        }
        unit.audit_by(By::anonymous_for(account.id), "user.email_verified", account.id, Change::NONE);
        sessions::open(unit, account.id, "email").await
    })
    .await
}
