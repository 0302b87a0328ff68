//! Organizations, on the wire and in their rows.

use chrono::{DateTime, Utc};
use kernel::{answer::Resource, caller::Role, ids::OrganizationId, patch::Patch};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

/// An organization, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// Its name, for people.
    pub name: String,
    /// The caller's role in it.
    pub role: Role,
    /// Grows by one with each change; the `ETag` is made of it.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Resource for Organization {
    const LOCATED: bool = true;
    const VERSIONED: bool = true;

    fn location(&self) -> Option<String> {
        Some(format!("/v1/organizations/{}", self.id))
    }

    fn version(&self) -> Option<i32> {
        Some(self.version)
    }
}

/// The organization that is to be created.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// The name, for people.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Ada's workshop"
    )]
    pub name: String,
}

/// A change of an organization.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPatch {
    /// The name, for people.
    #[serde(default)]
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Ada's workshop"
    )]
    pub name: Patch<String>,
}
