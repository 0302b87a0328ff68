//! Sending mail, erasing accounts, and deleting ended sessions and tokens.

use std::time::Duration;

use domain::identity::{mail_tokens, mail_tokens::jobs::SendMail, users};
use kernel::{Result, queue::Outcome};

use super::batches::Batches;
use crate::{
    context::{Attempt, Context},
    registry::BoxError,
};

/// The time after which mail is tried again while neither SMTP nor Resend is configured.
const WITHOUT_MAILER: Duration = Duration::from_secs(600);

/// Sends one mail.
pub(crate) async fn send_mail(
    context: Context,
    job: SendMail,
    attempt: Attempt,
) -> Result<Outcome, BoxError> {
    let Some(mailer) = &context.mailer else {
        tracing::warn!("mail waits: neither SMTP_URL nor RESEND_API_KEY is set");
        return Ok(Outcome::Snooze(WITHOUT_MAILER));
    };
    let mail = mail_tokens::prepare(&context.core, &job, &context.app_url, &attempt.request).await?;
    if let Some(mail) = mail {
        mailer.send(&mail).await?;
    }
    Ok(Outcome::Done)
}

/// Erases accounts that are due.
pub(crate) async fn erase(context: Context) -> Result<()> {
    let mut batches = Batches::new(100, 100);
    while batches.goes_on(users::erase_due(&context.core, batches.size).await?) {}
    Ok(())
}

/// Deletes ended sessions, and expired tokens and ceremonies.
pub(crate) async fn prune(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 100);
    while batches.goes_on(users::prune(&context.core, batches.size).await?) {}
    Ok(())
}
