//! The payload of the job that sends mail.

use std::time::Duration;

use kernel::{
    ids::{InvitationId, UserId},
    queue::{Job, Queue},
};
use serde::{Deserialize, Serialize};

use crate::mail::Email;

/// Sends a mail. The payload holds no secret: tokens are made when the mail is sent, and only their
/// digests are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "mail", rename_all = "snake_case")]
pub enum SendMail {
    /// To an address that somebody signed up with: a link to verify it or, when it has an account,
    /// a notice that it has one. The choice is made when the mail is sent, so that the request
    /// takes the same time for either.
    SignUp {
        /// The address.
        email: Email,
    },
    /// Another link to verify the address, when it has an account that is not verified.
    VerifyEmail {
        /// The address.
        email: Email,
    },
    /// A link to choose a new password, when there is an account.
    ResetPassword {
        /// The address.
        email: Email,
    },
    /// A notice that the password was changed.
    PasswordChanged {
        /// The account.
        user: UserId,
    },
    /// An invitation into an organization.
    Invitation {
        /// The invitation.
        invitation: InvitationId,
    },
}

impl Job for SendMail {
    const KIND: &'static str = "identity.send_mail";
    const QUEUE: Queue = Queue::Effects;
    const MAX_ATTEMPTS: u16 = 12;
    const TIMEOUT: Duration = Duration::from_secs(45);
}
