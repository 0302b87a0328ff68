//! The filter of events.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{
    audit::first_id_at,
    checks::Checks,
    error::{Code, Result},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Selects events. A parameter that is left out selects all.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The actor: an identifier, `anonymous` or `system`.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub actor: Option<String>,
    /// The action, such as `member.removed`.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub action: Option<String>,
    /// The subject: an identifier.
    #[param(min_length = 1, max_length = 2048, pattern = "^[^\\u0000]*$")]
    pub subject: Option<String>,
    /// The earliest time, RFC 3339.
    pub from: Option<DateTime<Utc>>,
    /// The time before which the events were done, RFC 3339.
    pub to: Option<DateTime<Utc>>,
}

impl Filter {
    /// Checks the values.
    ///
    /// # Errors
    /// [`FILTER_ERRORS`](super::FILTER_ERRORS).
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

    /// Returns the identifiers that the events lie between, so that the index finds a range of time
    /// long ago. An identifier is made moments before or after its event is dated; the date filters
    /// the events in between.
    pub(super) fn ids(&self) -> (Uuid, Uuid) {
        const APART: TimeDelta = TimeDelta::minutes(1);
        let from = self
            .from
            .and_then(|from| from.checked_sub_signed(APART))
            .map_or(Uuid::nil(), |from| first_id_at(from).uuid());
        let to = self
            .to
            .and_then(|to| to.checked_add_signed(APART))
            .map_or(Uuid::max(), |to| first_id_at(to).uuid());
        (from, to)
    }
}
