//! The templates of mails: a file in `templates/mail` for each text, a type here for its subject
//! and its values.

use askama::Template;
use kernel::text::one_line;

/// A mail's text and subject.
pub trait MailTemplate: Template {
    /// Returns the subject, one line.
    fn subject(&self) -> String;
}

/// Asks the holder of an address to verify it.
#[derive(Debug, Template)]
#[template(path = "mail/verify_email.txt")]
pub struct VerifyEmail {
    /// The link, with its token.
    pub link: String,
}

impl MailTemplate for VerifyEmail {
    fn subject(&self) -> String {
        "Verify your address".to_owned()
    }
}

/// Tells the holder of an account that somebody signed up with their address.
#[derive(Debug, Template)]
#[template(path = "mail/account_exists.txt")]
pub struct AccountExists;

impl MailTemplate for AccountExists {
    fn subject(&self) -> String {
        "You already have an account".to_owned()
    }
}

/// Lets a person choose a new password.
#[derive(Debug, Template)]
#[template(path = "mail/reset_password.txt")]
pub struct ResetPassword {
    /// The link, with its token.
    pub link: String,
}

impl MailTemplate for ResetPassword {
    fn subject(&self) -> String {
        "Choose a new password".to_owned()
    }
}

/// Tells a person that their password was changed.
#[derive(Debug, Template)]
#[template(path = "mail/password_changed.txt")]
pub struct PasswordChanged;

impl MailTemplate for PasswordChanged {
    fn subject(&self) -> String {
        "Your password was changed".to_owned()
    }
}

/// Invites somebody into an organization.
#[derive(Debug, Template)]
#[template(path = "mail/invitation.txt")]
pub struct Invitation {
    inviter: String,
    organization: String,
    role: String,
    link: String,
}

impl Invitation {
    /// Creates the invitation. Names come from people: a line of theirs must not look like one of
    /// ours, or become a header.
    pub fn new(inviter: &str, organization: &str, role: &str, link: String) -> Self {
        let (inviter, organization) = (one_line(inviter), one_line(organization));
        Self { inviter, organization, role: role.replace('_', " "), link }
    }
}

impl MailTemplate for Invitation {
    fn subject(&self) -> String {
        format!("Join {}", self.organization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Mail;

    #[test]
    fn nothing_in_a_name_becomes_a_line_of_the_mail() {
        let link = "https://app.example.com/accept-invitation#token=hfm_1".to_owned();
        let invitation =
            Invitation::new("Eve\nYour password expired", "Acme\r\nBcc: eve@example.com", "read_only", link);
        let mail = Mail::new("ada@example.com".parse().unwrap(), &invitation).unwrap();
        assert_eq!(mail.subject, "Join Acme  Bcc: eve@example.com");
        assert!(mail.text.starts_with(
            "Eve Your password expired invites you to join Acme  Bcc: eve@example.com as read only.\n"
        ));
        assert!(mail.text.ends_with("ignore this mail.\n"), "{}", mail.text);
    }
}
