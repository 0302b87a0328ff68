//! Mail: by SMTP, by Resend's API, or, in development, onto the console.

mod console;
mod limits;
mod resend;
mod settings;
mod smtp;

pub use settings::MailSettings;
