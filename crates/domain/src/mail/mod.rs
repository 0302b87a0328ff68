//! Mail: what is sent, and the port that sends it.

mod email;

use std::fmt;

use futures::future::BoxFuture;

pub use email::{Email, NotAnEmail};

/// A mail, of text alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whom to.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// The text, its lines ended by `\n`.
    pub text: String,
}

impl Mail {
    /// What names this mail and no other: 32 hexadecimal digits of SHA-256 over all of it.
    pub fn key(&self) -> String {
        let whole = format!("{}\n{}\n{}", self.to, self.subject, self.text);
        kernel::crypto::hex(&kernel::crypto::sha256(whole.as_bytes())[..16])
    }
}

/// Why a mail was not sent, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail was not sent: {0}")]
pub struct MailFailed(pub String);

/// Sends mail. An effect: called only from a job.
pub trait Mailer: Send + Sync + fmt::Debug {
    /// One attempt, bounded by its own timeout. The same mail again carries the same [`Mail::key`], so that a provider or a mailbox can tell a repeat;
    /// a mail with another token is another mail.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailFailed>>;
}
