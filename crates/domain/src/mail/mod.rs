//! Mail: addresses, texts, and the port that sends them.
//!
//! The texts are files in `templates/mail`; each has a type in `templates.rs` that names its
//! subject and its values. docs/adding-a-mail.md is the recipe.

mod email;
mod link;
mod mailer;
mod templates;

pub use email::{Email, NotAnEmail};
pub use link::{APP_PAGES, AppPage};
pub use mailer::{Mail, Mailer};
pub use templates::{AccountExists, Invitation, MailTemplate, PasswordChanged, ResetPassword, VerifyEmail};
