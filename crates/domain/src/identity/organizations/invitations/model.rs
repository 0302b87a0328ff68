//! Invitations, on the wire and in their rows.

use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    caller::Role,
    error::{Code, Error},
    ids::{InvitationId, OrganizationId, UserId},
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use crate::mail::Email;

/// An invitation that is open: neither accepted nor revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// The address that is invited.
    #[schema(value_type = String, format = "email")]
    pub email: Email,
    /// The role that comes with it.
    pub role: Role,
    /// The member who invites.
    pub invited_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it can no longer be accepted, unless it is sent again.
    pub expires_at: DateTime<Utc>,
}

impl Resource for Invitation {}

/// The invitation that is to be created.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    /// The address to invite.
    #[schema(
        format = Email,
        max_length = 254,
        pattern = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@\s\u0000]{1,189}$",
        example = "grace@example.com"
    )]
    pub email: String,
    /// The role to give; not above the caller's own.
    pub role: Role,
}

/// The token that was mailed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The token of the link in the mail.
    #[schema(max_length = 64, pattern = "^hfm_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    pub token: String,
}

/// An address and an organization, before the organization invites the address.
#[derive(FromRow)]
pub(super) struct InviteeRow {
    pub(super) member: bool,
    pub(super) invited: bool,
    pub(super) open: i64,
    pub(super) recent: i64,
}

/// An open invitation, and the account of the person who has its token.
#[derive(FromRow)]
pub(super) struct OpenRow {
    pub(super) id: InvitationId,
    pub(super) organization_id: OrganizationId,
    pub(super) role: Role,
    pub(super) same_address: bool,
    pub(super) verified: bool,
}

/// Returns the error for an invitation that does not exist, or is no longer open.
pub(super) fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no open invitation of that id in this organization")
}
