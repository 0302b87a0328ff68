//! Memberships, on the wire and in their rows.

use chrono::{DateTime, Utc};
use kernel::{answer::Resource, caller::Role, ids::UserId, patch::Patch};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use crate::mail::Email;

/// A person in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Membership {
    /// The person.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    #[schema(value_type = String, format = "email")]
    pub email: Email,
    /// Their role.
    pub role: Role,
    /// Grows by one with each change; the `ETag` is made of it.
    pub version: i32,
    /// When they joined.
    pub joined_at: DateTime<Utc>,
}

impl Resource for Membership {
    const VERSIONED: bool = true;

    fn version(&self) -> Option<i32> {
        Some(self.version)
    }
}

/// A change of a membership.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembershipPatch {
    /// The role; not above the caller's own.
    #[serde(default)]
    #[schema(value_type = Role)]
    pub role: Patch<Role>,
}
