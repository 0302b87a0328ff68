//! Accounts of people.

mod erase;
mod export;
pub mod jobs;
mod mail;
mod password;
mod profile;
mod signup;
pub(super) mod store;

pub use erase::{Receipt, close, erase_due, keep, prune};
pub use export::{Export, export};
pub(super) use mail::token_digest;
pub use mail::{APP_PAGES, prepare};
pub use password::{ChangePassword, ResetPassword, change, forgot, reset};
pub use profile::{Profile, get, rename};
pub use signup::{SignUp, Verification, send_again, sign_up, verify};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mail::Email;
use kernel::ids::UserId;

/// An account, as its holder sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
pub struct Account {
    /// Its identifier.
    pub id: UserId,
    /// Where mail goes.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
    /// The holder's name.
    pub name: String,
    /// When the address was proved to be the holder's.
    #[schema(required = true)]
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Grows by one with each change.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it will be erased, since the holder asked for that; null otherwise.
    #[schema(required = true)]
    pub erase_at: Option<DateTime<Utc>>,
}
