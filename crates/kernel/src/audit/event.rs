//! An event as it is read.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::{Builder, Uuid};

use crate::{
    clock::Timestamp,
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
    /// SHA-256 over the JSON of the subject before it was changed, in hexadecimal; null where there
    /// was nothing or nothing changed.
    #[schema(required = true)]
    pub before_sha256: Option<String>,
    /// SHA-256 over the JSON of the subject as it was left, in hexadecimal: over the body that a
    /// `GET` of it answers.
    #[schema(required = true)]
    pub after_sha256: Option<String>,
}

/// The smallest identifier that an event of that time could have.
pub fn first_id_at(at: Timestamp) -> AuditId {
    first_at(at).into()
}

fn first_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis.min((1 << 48) - 1), &[0; 10]).into_uuid()
}
