//! A mail, and the port that sends it.

use std::fmt;

use futures::future::BoxFuture;
use kernel::{
    crypto::{hex, sha256},
    effect::Effect,
    error::{Error, Result},
};

use super::{email::Email, templates::MailTemplate};

/// A mail, of text alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The recipient.
    pub to: Email,
    /// The subject, one line.
    pub subject: String,
    /// The text, its lines ended by `\n`.
    pub text: String,
}

impl Mail {
    /// Writes a mail from its template.
    ///
    /// # Errors
    /// `Internal` when the template cannot be rendered.
    pub fn new(to: Email, template: &impl MailTemplate) -> Result<Self> {
        let mut text = template.render().map_err(Error::internal)?;
        text.push('\n');
        Ok(Self { to, subject: template.subject(), text })
    }

    /// Returns a name that this mail has and no other: 32 hexadecimal digits of SHA-256 over all of
    /// it.
    pub fn key(&self) -> String {
        let whole = format!("{}\n{}\n{}", self.to, self.subject, self.text);
        hex(&sha256(whole.as_bytes())[..16])
    }
}

/// Sends mail. An effect: called only from a job.
pub trait Mailer: Send + Sync + fmt::Debug {
    /// Makes one attempt, bounded by its own timeout. The same mail again carries the same
    /// [`Mail::key`], so that a provider or a mailbox can recognize a repeat; a mail with another
    /// token is another mail.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Effect>;
}
