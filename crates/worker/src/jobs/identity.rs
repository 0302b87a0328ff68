//! Mail, erasure, and forgetting what has ended.

use std::time::Duration;

use domain::identity::users::{self, jobs::SendMail};
use kernel::{Result, queue::Outcome};

use crate::{
    context::{Attempt, Context},
    registry::BoxError,
};

/// Rows per statement, so that none holds its locks for long.
const BATCH: u64 = 1_000;
/// Batches per run; what is left waits for the next.
const BATCHES: u32 = 100;
/// How long mail waits for an operator to say how it is sent.
const WITHOUT_MAILER: Duration = Duration::from_secs(600);

/// Sends one mail.
pub(crate) async fn send_mail(context: Context, job: SendMail, _: Attempt) -> Result<Outcome, BoxError> {
    let Some(mailer) = &context.mailer else {
        tracing::warn!("mail waits: neither SMTP_URL nor RESEND_API_KEY is set");
        return Ok(Outcome::Snooze(WITHOUT_MAILER));
    };
    if let Some(mail) = users::prepare(&context.core, &job, &context.app_url).await? {
        mailer.send(&mail).await?;
    }
    Ok(Outcome::Done)
}

/// Erases accounts whose time has come.
pub(crate) async fn erase(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        if users::erase_due(&context.core, 100).await? < 100 {
            break;
        }
    }
    Ok(())
}

/// Forgets ended sessions, and tokens and ceremonies whose time is over.
pub(crate) async fn prune(context: Context) -> Result<()> {
    for _ in 0..BATCHES {
        if users::prune(&context.core, BATCH.cast_signed()).await? < BATCH {
            break;
        }
    }
    Ok(())
}
