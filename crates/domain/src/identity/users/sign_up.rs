//! Signing up.

use kernel::{
    Core,
    audit::Change,
    caller::{By, Caller, RequestContext},
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Error, Result},
};

use super::{model::SignUp, store};
use crate::{
    identity::{mail_tokens::jobs::SendMail, password::Passwords},
    mail::{Email, NotAnEmail},
};

/// The codes of [`sign_up`].
pub const SIGN_UP_ERRORS: Codes = &[LINE_ERRORS, &[Code::InvalidEmail, Code::WeakPassword]];

/// Creates an account whose address is yet to be verified, and mails a link to verify it. When the
/// address has a verified account, the mail says so instead and nothing is changed; an account that
/// nobody verified is created anew. The caller cannot tell which it was, not even from the time
/// that it takes.
///
/// # Errors
/// [`SIGN_UP_ERRORS`].
pub async fn sign_up(
    core: &Core,
    passwords: &Passwords,
    wanted: &SignUp,
    request: &RequestContext,
) -> Result<()> {
    let mut checks = Checks::new();
    let email = checks.keep("/email", Code::InvalidEmail, wanted.email.parse::<Email>());
    checks.line("/name", &wanted.name, 1..=100);
    if let Some(email) = &email {
        wanted.password.check(&mut checks, "/password", email, &wanted.name);
    }
    checks.finish()?;
    let Some(email) = email else { return Err(Error::internal("an address was neither kept nor refused")) };
    let hash = passwords.hash(&wanted.password).await?;
    core.write(Caller::anonymous(request), async |unit| {
        let now = unit.now();
        let user = store::upsert_unverified(unit, core.ids.next(), &email, &wanted.name, &hash, now).await?;
        let (by, subject) = match user {
            Some(user) => (By::anonymous_for(user), user.to_string()),
            None => (By::anonymous(), "an address that has an account".to_owned()),
        };
        unit.audit_by(by, "user.signed_up", subject, Change::NONE);
        unit.enqueue(&SendMail::SignUp { email })
    })
    .await
}

/// The codes of [`send_again`].
pub const SEND_AGAIN_ERRORS: Codes = &[&[Code::InvalidEmail]];

/// Mails another link to verify `email`, when it has an account that is not verified.
///
/// # Errors
/// [`SEND_AGAIN_ERRORS`].
pub async fn send_again(core: &Core, email: &str, request: &RequestContext) -> Result<()> {
    let email = parse_email(email)?;
    core.write(Caller::anonymous(request), async |unit| {
        unit.audit("user.verification_requested", "an address", Change::NONE);
        unit.enqueue(&SendMail::VerifyEmail { email })
    })
    .await
}

/// Reads an address from a body.
pub(super) fn parse_email(email: &str) -> Result<Email> {
    email.parse().map_err(|error: NotAnEmail| Error::field(Code::InvalidEmail, "/email", error.to_string()))
}
