//! Organisations: the people who share projects. Whatever is done in one begins by [`enter`]ing it.
//!
//! What must not happen twice at once, such as two owners leaving, begins by [`enter_alone`]: it locks the organisation's row.

mod adopt;
mod create;
mod enter;
mod get;
mod rename;
pub(super) mod store;

pub mod invitations;
pub mod members;
pub mod projects;

pub use adopt::adopt;
pub use create::create;
pub use enter::{enter, enter_alone};
pub use get::{get, list};
pub use rename::rename;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use kernel::caller::Role;
use kernel::{checks::Checks, error::Result, ids::OrganizationId};

/// How many organisations one person can be a member of.
pub const MAX_OF_A_PERSON: i64 = 50;
/// How many members an organisation can have.
pub const MAX_MEMBERS: i64 = 500;
/// How many projects an organisation can have.
pub const MAX_PROJECTS: i64 = 100;

/// An organisation, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow, ToSchema)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// Its name, for people.
    pub name: String,
    /// What the caller is in it.
    pub role: Role,
    /// Grows by one with each change; the `ETag` is made of it.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The name that an organisation or a project is to have.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    /// The name, for people.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "Ada's workshop"
    )]
    pub name: String,
}

impl Naming {
    pub(super) fn check(&self) -> Result<()> {
        let mut checks = Checks::new();
        checks.line("/name", &self.name, 1..=100);
        checks.finish()
    }
}
