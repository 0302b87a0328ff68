//! The settings of mail.

use clap::Args;
use domain::mail::Mailer;
use lettre::message::Mailbox;
use url::Url;

use super::{
    console::Console,
    resend::{self, Resend},
    smtp::Smtp,
};
use crate::{
    network,
    settings::{Environment, Masked},
};

/// The settings of mail.
#[derive(Debug, Clone, Args)]
pub struct MailSettings {
    /// The mail server: smtps://user:password@host:465, or
    /// smtp://user:password@host:587?tls=required.
    #[arg(long, env = "SMTP_URL", value_parser = smtp_url)]
    pub smtp_url: Option<Masked<Url>>,

    /// The key of Resend's API, where mail goes by it and not by SMTP.
    #[arg(long, env = "RESEND_API_KEY", value_parser = resend_key)]
    pub resend_api_key: Option<Masked<String>>,

    /// The sender of mail.
    #[arg(long, env = "MAIL_FROM", default_value = "Holdfast <holdfast@localhost>", value_parser = mailbox)]
    pub mail_from: Mailbox,
}

impl MailSettings {
    /// Returns the mailer. Without SMTP_URL and RESEND_API_KEY that is the console in development,
    /// and none elsewhere: mail then waits.
    ///
    /// # Errors
    /// Fails with one sentence when both ways are set, and when the one that is set cannot be used.
    pub fn mailer(&self, environment: Environment) -> Result<Option<Box<dyn Mailer>>, String> {
        Ok(match (&self.smtp_url, &self.resend_api_key) {
            (Some(_), Some(_)) => {
                return Err("SMTP_URL and RESEND_API_KEY are both set; mail goes by one of them".to_owned());
            }
            (Some(url), None) => Some(Box::new(Smtp::new(url.reveal(), self.mail_from.clone())?)),
            (None, Some(key)) => Some(Box::new(Resend::new(resend::API, key.reveal(), &self.mail_from)?)),
            (None, None) if environment == Environment::Development => Some(Box::new(Console)),
            (None, None) => None,
        })
    }
}

fn smtp_url(text: &str) -> Result<Masked<Url>, String> {
    let wants = "it wants smtps://user:password@host:465 or smtp://user:password@host:587?tls=required";
    let url = Url::parse(text).map_err(|error| format!("held a text that is no URL ({error}); {wants}"))?;
    if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("held {}://{}; {wants}", url.scheme(), url.host_str().unwrap_or_default()));
    }
    let in_clear = url.scheme() == "smtp"
        && !url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
    if in_clear && !network::is_private(url.host_str().unwrap_or_default()) {
        return Err(format!(
            "held smtp://{} without ?tls=required, which would send the password in clear; {wants}",
            url.host_str().unwrap_or_default()
        ));
    }
    Ok(Masked::new(url))
}

fn resend_key(text: &str) -> Result<Masked<String>, String> {
    let sound = text.starts_with("re_") && text.bytes().all(|byte| byte.is_ascii_graphic());
    if sound {
        Ok(Masked::new(text.to_owned()))
    } else {
        Err("held ***; it wants a key of Resend's, re_…".to_owned())
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse()
        .map_err(|error| format!("{error}; it wants an address such as Holdfast <no-reply@example.com>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_travel_in_clear() {
        for good in [
            "smtps://u:p@mail.example.com:465",
            "smtp://u:p@mail.example.com:587?tls=required",
            "smtp://127.0.0.1:1025",
        ] {
            assert!(smtp_url(good).is_ok(), "{good}");
        }
        for bad in [
            "smtp://u:hunter2@mail.example.com:587",
            "smtp://u:hunter2@mail.example.com?tls=opportunistic",
            "https://x",
            "smtp:",
        ] {
            let refused = smtp_url(bad).unwrap_err();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
