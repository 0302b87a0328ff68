//! Mail that nobody sends, for development.

use domain::mail::{Mail, Mailer};
use futures::future::BoxFuture;
use kernel::effect::Effect;

/// Writes mail to the log, for a developer to read.
#[derive(Debug)]
pub(super) struct Console;

impl Mailer for Console {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Effect> {
        tracing::info!("mail to {}: {}\n\n{}", mail.to, mail.subject, mail.text);
        Box::pin(async { Ok(()) })
    }
}
