//! Verdicts.

use std::{fmt, str::FromStr};

use kernel::caller::UnknownName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A seal's statement about the thing that it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It is so.
    Seal,
    /// It waits for a person: a proposal.
    Hold,
    /// It is not so, or no longer.
    Void,
    /// It was allowed.
    Allow,
    /// It was denied.
    Deny,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Verdict; 5] =
        [Verdict::Seal, Verdict::Hold, Verdict::Void, Verdict::Allow, Verdict::Deny];

    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Seal => "SEAL",
            Verdict::Hold => "HOLD",
            Verdict::Void => "VOID",
            Verdict::Allow => "ALLOW",
            Verdict::Deny => "DENY",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or(UnknownName)
    }
}
