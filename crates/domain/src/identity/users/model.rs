//! Accounts, on the wire and in their rows.

use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    clock::Timestamp,
    error::{Code, Error},
    ids::{OrganizationId, UserId},
    patch::Patch,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use crate::{
    identity::{password::Password, sessions::Session},
    mail::Email,
};

/// An account, as its holder sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromRow)]
pub struct Account {
    /// Its identifier.
    pub id: UserId,
    /// The address that mail goes to.
    #[schema(value_type = String, format = Email)]
    pub email: Email,
    /// The holder's name.
    pub name: String,
    /// When the address was verified.
    #[schema(required = true)]
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Grows by one with each change.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it will be erased, since the holder asked for that; null otherwise.
    #[schema(required = true)]
    pub erase_at: Option<DateTime<Utc>>,
}

impl Resource for Account {
    const VERSIONED: bool = true;

    fn version(&self) -> Option<i32> {
        Some(self.version)
    }
}

/// The account that somebody signs up for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// An address that mail reaches them at; the account is theirs once they verified it.
    #[schema(
        format = Email,
        max_length = 254,
        pattern = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@\s\u0000]{1,189}$",
        example = "ada@example.com"
    )]
    pub email: String,
    /// At least ten characters, of any kind.
    pub password: Password,
    /// Their name.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f]*$",
        example = "Ada Lovelace"
    )]
    pub name: String,
}

/// A change of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfilePatch {
    /// The holder's name.
    #[serde(default)]
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f]*$",
        example = "Ada Lovelace"
    )]
    pub name: Patch<String>,
}

/// A new password, set with a mailed token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// The token of the link.
    #[schema(max_length = 64, pattern = "^hfm_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    pub token: String,
    /// The new password.
    pub password: Password,
}

/// A new password, set with the old one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The old password.
    #[schema(value_type = String, format = Password, max_length = 256)]
    pub current_password: Password,
    /// The new password.
    pub password: Password,
}

/// An erasure that was asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasureReceipt {
    /// The account.
    pub user: UserId,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it is done; until then POST /v1/me/restore cancels it.
    pub erase_at: DateTime<Utc>,
}

/// Everything that is stored about a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// When it was built.
    pub exported_at: DateTime<Utc>,
    /// The account.
    pub account: Account,
    /// The organizations that they are a member of.
    pub memberships: Vec<ExportedMembership>,
    /// Their sessions, ended ones that are not pruned yet among them.
    pub sessions: Vec<Session>,
    /// Their passkeys, without key material.
    pub passkeys: Vec<ExportedPasskey>,
    /// The audit log of their account, newest first; at most 10,000 rows.
    pub events: Vec<ExportedEvent>,
}

/// A membership.
#[derive(Debug, Serialize, ToSchema, FromRow)]
pub struct ExportedMembership {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// The role.
    pub role: String,
    /// When they joined.
    pub since: DateTime<Utc>,
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema, FromRow)]
pub struct ExportedPasskey {
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    #[schema(required = true)]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A row of the audit log.
#[derive(Debug, Serialize, ToSchema, FromRow)]
pub struct ExportedEvent {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The action.
    pub action: String,
    /// The actor.
    pub actor: String,
    /// The subject.
    pub subject: String,
    /// The address of the client.
    #[schema(required = true)]
    pub address: Option<String>,
    /// The client's name for itself.
    #[schema(required = true)]
    pub user_agent: Option<String>,
}

/// An account, as logging in to it needs it.
#[derive(FromRow)]
pub(in crate::identity) struct Credentials {
    pub(in crate::identity) id: UserId,
    pub(in crate::identity) email: Email,
    pub(in crate::identity) name: String,
    pub(in crate::identity) password_hash: Option<String>,
    pub(in crate::identity) email_verified_at: Option<Timestamp>,
}

/// A member who was made an owner because the only one is being erased.
#[derive(FromRow)]
pub(super) struct HeirRow {
    pub(super) organization_id: OrganizationId,
    pub(super) user_id: UserId,
}

/// Returns the error for a session that outlived its account, for the few seconds that credentials
/// are remembered.
pub(super) fn gone() -> Error {
    Error::new(Code::AccessTokenInvalid, "The account no longer exists")
}

/// Returns the same error for every reason why a mailed token is refused.
pub(super) fn invalid_token() -> Error {
    Error::new(
        Code::MailTokenInvalid,
        "The token is unknown, expired, or was used before; ask for another mail",
    )
}
