//! Proposals: seals that wait for a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{seal::Seal, verdict::Verdict};

/// A decision on a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Decision {
    /// A person agreed.
    Approved,
    /// A person refused.
    Rejected,
    /// Nobody decided in time.
    Expired,
}

impl Decision {
    /// All decisions.
    pub(crate) const ALL: [Decision; 3] = [Decision::Approved, Decision::Rejected, Decision::Expired];

    /// Returns the kind of the seal that records it.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Decision::Approved => "proposal.approved",
            Decision::Rejected => "proposal.rejected",
            Decision::Expired => "proposal.expired",
        }
    }

    /// Returns the verdict of the seal that records it.
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Decision::Approved => Verdict::Seal,
            Decision::Rejected | Decision::Expired => Verdict::Void,
        }
    }
}

/// A person's reason for a decision.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The reason in their words; it is sealed with the decision.
    #[schema(min_length = 1, max_length = 2000, pattern = "^[^\\u0000]*$")]
    pub reason: String,
}

/// Selects proposals.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProposalFilter {
    /// `true` for those that can be decided, `false` for those that no longer can; all when left
    /// out.
    pub open: Option<bool>,
}

/// A seal that waits for a person, or did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proposal {
    /// The seal, whose verdict is `HOLD`.
    #[serde(flatten)]
    pub seal: Seal,
    /// Until when it can be decided.
    pub expires_at: DateTime<Utc>,
    /// The decision; null while it waits, and for the moment from its end until that is sealed.
    #[schema(required = true)]
    pub decision: Option<Decision>,
    /// The index of the seal that decided.
    #[schema(required = true, minimum = 0)]
    pub decided_by: Option<u64>,
}
