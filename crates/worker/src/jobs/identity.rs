//! Mail, erasure, and deleting what has ended.

use std::time::Duration;

use domain::identity::{mail_tokens, mail_tokens::jobs::SendMail, users};
use kernel::{Result, queue::Outcome};

use super::batches::Batches;
use crate::{
    context::{Attempt, Context},
    registry::BoxError,
};

/// How long mail waits for an operator to say how it is sent.
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

/// Erases accounts whose time has come.
pub(crate) async fn erase(context: Context) -> Result<()> {
    let mut batches = Batches::new(100, 100);
    while batches.goes_on(users::erase_due(&context.core, batches.size).await?) {}
    Ok(())
}

/// Deletes ended sessions, and tokens and ceremonies whose time is over.
pub(crate) async fn prune(context: Context) -> Result<()> {
    let mut batches = Batches::new(1_000, 100);
    while batches.goes_on(users::prune(&context.core, batches.size).await?) {}
    Ok(())
}
