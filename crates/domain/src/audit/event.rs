//! An event as it is read, and what events are sought by.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::{Builder, Uuid};

use crate::{
    check::Checks,
    clock::Timestamp,
    error::{Code, Result},
    ids::{AuditId, ProjectId},
};

/// Something that was done, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
#[schema(title = "AuditEvent")]
pub struct Event {
    /// Its identifier.
    pub id: AuditId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: a person, an API key or an agent by their identifier, `anonymous`, or `system`.
    #[schema(example = "usr_019aa3f0c1d27abc8def0123456789ab")]
    pub actor: String,
    /// What, as `<noun>.<past participle>`.
    #[schema(example = "member.removed")]
    pub action: String,
    /// To what.
    pub subject: String,
    /// In which project; null for what is of the organisation or of an account.
    #[sqlx(rename = "project_id")]
    #[schema(required = true)]
    pub project: Option<ProjectId>,
    /// By which request.
    pub request_id: String,
    /// From which address, as far as it is known; an IPv6 address is known by its /64.
    #[schema(required = true)]
    pub address: Option<String>,
    /// By what client, as it called itself.
    #[schema(required = true)]
    pub user_agent: Option<String>,
    /// SHA-256 over the JSON of the subject before it was changed, in hexadecimal; null where there was nothing or nothing changed.
    #[schema(required = true)]
    pub before_sha256: Option<String>,
    /// SHA-256 over the JSON of the subject as it was left, in hexadecimal: over the body that a `GET` of it answers.
    #[schema(required = true)]
    pub after_sha256: Option<String>,
}

/// Which events are wanted; all of what is left out.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// By whom: an identifier, `anonymous` or `system`.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub actor: Option<String>,
    /// What, such as `member.removed`.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub action: Option<String>,
    /// To what: an identifier.
    #[param(min_length = 1, max_length = 2048, pattern = "^[^\\u0000]*$")]
    pub subject: Option<String>,
    /// From then on, RFC 3339.
    pub from: Option<DateTime<Utc>>,
    /// Before then, RFC 3339.
    pub to: Option<DateTime<Utc>>,
}

impl Filter {
    /// # Errors
    /// Values that break a rule.
    pub(super) fn check(&self) -> Result<()> {
        let mut checks = Checks::new();
        checks.optional_text("actor", self.actor.as_deref(), 1..=64);
        checks.optional_text("action", self.action.as_deref(), 1..=64);
        checks.optional_text("subject", self.subject.as_deref(), 1..=2048);
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            checks.broken(Code::OutOfRange, "from", "must not be after `to`");
        }
        checks.finish()
    }

    /// Between which identifiers the events lie, so that a range of time long ago is found by the index. An identifier is made moments before or
    /// after the event is dated; what lies in between is told apart by its date.
    pub(super) fn ids(&self) -> (Uuid, Uuid) {
        const APART: TimeDelta = TimeDelta::minutes(1);
        let from = self.from.and_then(|from| from.checked_sub_signed(APART)).map_or(Uuid::nil(), first_at);
        let to = self.to.and_then(|to| to.checked_add_signed(APART)).map_or(Uuid::max(), first_at);
        (from, to)
    }
}

/// The smallest identifier that an event of that time could have.
pub(crate) fn first_id_at(at: Timestamp) -> AuditId {
    first_at(at).into()
}

fn first_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis.min((1 << 48) - 1), &[0; 10]).into_uuid()
}
