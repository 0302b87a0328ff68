//! Projects, on the wire and in their rows.

use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    caller::Plan,
    error::{Code, Error},
    ids::{OrganizationId, ProjectId},
    patch::Patch,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// The organization that it belongs to.
    pub organization_id: OrganizationId,
    /// Its name, for people.
    pub name: String,
    /// Its plan.
    pub plan: Plan,
    /// Grows by one with each change; the `ETag` is made of it.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Resource for Project {
    const LOCATED: bool = true;
    const VERSIONED: bool = true;

    fn location(&self) -> Option<String> {
        Some(format!("/v1/projects/{}", self.id))
    }

    fn version(&self) -> Option<i32> {
        Some(self.version)
    }
}

/// The project that is to be created.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// The name, for people.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Support desk"
    )]
    pub name: String,
}

/// A change of a project.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectPatch {
    /// The name, for people.
    #[serde(default)]
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Support desk"
    )]
    pub name: Patch<String>,
}

/// Returns the error for a project that does not exist.
pub(super) fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no project of that id")
}
