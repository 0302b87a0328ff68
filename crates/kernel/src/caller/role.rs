//! The roles of people in an organization.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UnknownName;

/// The role of a person in an organization, in ascending order of power.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Sees everything but keys and the audit log.
    ReadOnly,
    /// Builds: agents, intents, API keys.
    Developer,
    /// Runs it: projects and members, owners excepted.
    Admin,
    /// Owns it: also owners, the organization itself and its audit log.
    Owner,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::ReadOnly, Role::Developer, Role::Admin, Role::Owner];

    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::ReadOnly => "read_only",
            Role::Developer => "developer",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownName)
    }
}
