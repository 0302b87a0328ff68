//! Mailed tokens, and the rows that mails are written from.

use chrono::TimeDelta;
use kernel::ids::{InvitationId, UserId};
use sqlx::FromRow;

use crate::mail::{AppPage, Email};

/// The one thing that a mailed token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Purpose {
    /// Verifying an address.
    VerifyEmail,
    /// Setting a new password.
    ResetPassword,
    /// Accepting an invitation.
    Invitation,
}

impl Purpose {
    /// Returns the name in the database.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Purpose::VerifyEmail => "verify_email",
            Purpose::ResetPassword => "reset_password",
            Purpose::Invitation => "invitation",
        }
    }

    /// Returns the time for which a token is valid; the mails' texts say the same.
    pub(super) fn lifetime(self) -> TimeDelta {
        match self {
            Purpose::VerifyEmail => TimeDelta::hours(24),
            Purpose::ResetPassword => TimeDelta::hours(1),
            Purpose::Invitation => TimeDelta::days(7),
        }
    }

    /// Returns the page that the link leads to.
    pub(super) fn page(self) -> AppPage {
        match self {
            Purpose::VerifyEmail => AppPage::VerifyEmail,
            Purpose::ResetPassword => AppPage::ResetPassword,
            Purpose::Invitation => AppPage::AcceptInvitation,
        }
    }
}

/// The account or the invitation that a token is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum TokenOwner {
    User(UserId),
    Invitation(InvitationId),
}

/// An open invitation, as its mail needs it.
#[derive(FromRow)]
pub(super) struct InvitationRow {
    pub(super) email: Email,
    pub(super) role: String,
    pub(super) organization: String,
    pub(super) inviter: String,
}
