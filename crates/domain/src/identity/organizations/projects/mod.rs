//! Projects: the tenants that everything else belongs to.

mod create;
mod get;
mod rename;
mod store;

pub use create::create;
pub use get::{get, list};
pub use rename::rename;
pub(in crate::identity) use store::lock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use kernel::{
    caller::Plan,
    error::{Code, Error},
    ids::{OrganizationId, ProjectId},
};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow, ToSchema)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Whose it is; null for one that was made before there were organisations.
    #[schema(required = true)]
    pub organization_id: Option<OrganizationId>,
    /// Its name, for people.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// Grows by one with each change; the `ETag` is made of it.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no project of that id")
}
