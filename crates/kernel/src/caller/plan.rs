//! Plans, for which projects pay.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UnknownName;

/// The plan that a project pays for; it sets how many requests the project may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Plan {
    /// The configured rate.
    Free,
    /// Ten times the configured rate.
    Team,
    /// A hundred times the configured rate.
    Scale,
}

impl Plan {
    /// All plans.
    pub const ALL: [Plan; 3] = [Plan::Free, Plan::Team, Plan::Scale];

    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Plan::Free => "free",
            Plan::Team => "team",
            Plan::Scale => "scale",
        }
    }

    /// Returns the requests that it allows where the smallest plan allows `base`.
    pub fn quota(self, base: u32) -> u32 {
        base.saturating_mul(match self {
            Plan::Free => 1,
            Plan::Team => 10,
            Plan::Scale => 100,
        })
    }
}

impl FromStr for Plan {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text).ok_or(UnknownName)
    }
}
