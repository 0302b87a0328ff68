//! Signing up, and proving an address.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    jobs::SendMail,
    mail::{Purpose, token_digest},
    store,
};
use crate::{
    identity::{
        password::{Password, Passwords},
        sessions::{self, Opened},
    },
    mail::Email,
};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::RequestContext,
    checks::Checks,
    error::{Code, Error, Result},
    ports::Topic,
    queue::Enqueue,
};

/// Who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// Where mail reaches them; the account is theirs once they proved that.
    #[schema(format = Email, max_length = 254, pattern = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@\s\u0000]{1,189}$", example = "ada@example.com")]
    pub email: String,
    /// At least ten characters; any may be among them.
    pub password: Password,
    /// What to call them.
    #[schema(min_length = 1, max_length = 100, pattern = "^[^\\u0000-\\u001f\\u007f]*$", example = "Ada Lovelace")]
    pub name: String,
}

/// Makes an account whose address is yet to be verified, and mails how. When the address has a verified account, that is mailed instead and nothing
/// is changed; one that nobody verified is made anew. Whichever it is, the caller cannot tell, nor by how long it takes.
///
/// # Errors
/// Values that break a rule; [`Code::Overloaded`]; those of the database.
pub async fn sign_up(core: &Core, passwords: &Passwords, wanted: &SignUp, request: &RequestContext) -> Result<()> {
    let mut checks = Checks::new();
    let email = checks.keep("/email", Code::InvalidEmail, wanted.email.parse::<Email>());
    checks.line("/name", &wanted.name, 1..=100);
    if let Some(email) = &email {
        wanted.password.check(&mut checks, "/password", email, &wanted.name);
    }
    checks.finish()?;
    let Some(email) = email else { return Err(Error::internal("an address was neither kept nor refused")) };
    let hash = passwords.hash(&wanted.password).await?;

    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Door).await?;
    let user = store::upsert_unverified(&mut tx, core.ids.next(), &email, &wanted.name, &hash, now).await?;
    let (by, subject) = match user {
        Some(user) => (By::stranger(user, request), user.to_string()),
        None => (By::nobody(request), "an address that has an account".to_owned()),
    };
    audit::record(&mut tx, core, by, "user.signed_up", &subject).await?;
    send(&mut tx, core, request, SendMail::SignUp { email }).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(())
}

/// Mails another link to verify `email`, when it has an account that wants one.
///
/// # Errors
/// [`Code::InvalidEmail`]; those of the database.
pub async fn send_again(core: &Core, email: &str, request: &RequestContext) -> Result<()> {
    let email = parse(email)?;
    let mut tx = core.db.begin(Caller::Door).await?;
    audit::record(&mut tx, core, By::nobody(request), "user.verification_requested", "an address").await?;
    send(&mut tx, core, request, SendMail::VerifyEmail { email }).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(())
}

pub(super) fn parse(email: &str) -> Result<Email> {
    email
        .parse()
        .map_err(|error: crate::mail::NotAnEmail| Error::field(Code::InvalidEmail, "/email", error.to_string()))
}

pub(super) async fn send(tx: &mut kernel::db::Tx, core: &Core, request: &RequestContext, mail: SendMail) -> Result<()> {
    Enqueue::at(core.clock.now()).traceparent(request.traceparent.as_deref()).one(tx, &mail).await
}

/// The token that was mailed, and the password that was chosen.
#[derive(Debug)]
pub struct Verification<'a> {
    /// From the link.
    pub token: &'a str,
    /// As chosen at sign-up.
    pub password: &'a Password,
}

/// Proves the address, and logs in. It takes the password as well: whoever signs up with somebody else's address and waits for them to open the link
/// must not find the account open, with a password of their own.
///
/// # Errors
/// [`Code::MailTokenInvalid`], [`Code::LoginFailed`]; those of the database.
pub async fn verify(
    core: &Core,
    passwords: &Passwords,
    wanted: &Verification<'_>,
    request: &RequestContext,
) -> Result<Opened> {
    let digest = token_digest(wanted.token).ok_or_else(super::password::invalid_token)?;
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Door).await?;
    let account = store::find_by_token(&mut tx, &digest, Purpose::Verify.as_str(), now).await?;
    tx.commit().await?;
    let account = account.ok_or_else(super::password::invalid_token)?;
    if !passwords.verify(wanted.password, account.password_hash.as_deref()).await? {
        let detail = "The password is not the one that was chosen at sign-up; choose a new one with POST /v1/auth/password/forgot";
        return Err(Error::new(Code::LoginFailed, detail));
    }
    let mut tx = core.db.begin(Caller::Door).await?;
    // The password that was checked must still be the account's: somebody may have signed up anew meanwhile.
    let used = store::use_token(&mut tx, account.id, &digest, Purpose::Verify.as_str(), now).await?;
    let stands = store::verify_email(&mut tx, account.id, account.password_hash.as_deref(), now).await?;
    if !used || !stands {
        return Err(super::password::invalid_token());
    }
    audit::record(&mut tx, core, By::stranger(account.id, request), "user.email_verified", &account.id.to_string())
        .await?;
    let opened = sessions::open(&mut tx, core, account.id, "email", request).await?;
    tx.commit().await?;
    Ok(opened)
}
