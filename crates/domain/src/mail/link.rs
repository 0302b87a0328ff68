//! Links in mails.

use kernel::error::{Error, Result};
use url::Url;

/// The pages of the frontend that links lead to; each finds its token after `#token=`, where no
/// server sees it.
pub const APP_PAGES: [&str; 3] =
    [AppPage::VerifyEmail.path(), AppPage::ResetPassword.path(), AppPage::AcceptInvitation.path()];

/// A page of the frontend that a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppPage {
    /// Verifies an address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Accepts an invitation.
    AcceptInvitation,
}

impl AppPage {
    /// Returns its path below `APP_URL`.
    pub const fn path(self) -> &'static str {
        match self {
            AppPage::VerifyEmail => "verify-email",
            AppPage::ResetPassword => "reset-password",
            AppPage::AcceptInvitation => "accept-invitation",
        }
    }

    /// Returns the page's address with a token after the `#`: browsers send that part to no server.
    ///
    /// # Errors
    /// `Internal` when `app_url` can have no page.
    pub fn link(self, app_url: &Url, token: &str) -> Result<String> {
        let mut url = app_url.join(self.path()).map_err(Error::internal)?;
        url.set_fragment(Some(&format!("token={token}")));
        Ok(url.into())
    }
}
