//! An event as it is read.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::{Builder, Uuid};

use crate::{
    clock::Timestamp,
    ids::{AuditId, ProjectId},
};

/// Something that was done, and who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
#[schema(title = "AuditEvent")]
pub struct Event {
    /// Its identifier.
    pub id: AuditId,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The actor: a person, an API key or an agent by their identifier, `anonymous`, or `system`.
    #[schema(example = "usr_019aa3f0c1d27abc8def0123456789ab")]
    pub actor: String,
    /// The action, as `<noun>.<past participle>`.
    #[schema(example = "member.removed")]
    pub action: String,
    /// The identifier of the subject.
    pub subject: String,
    /// The project; null for events of an organization or an account.
    #[sqlx(rename = "project_id")]
    #[schema(required = true)]
    pub project: Option<ProjectId>,
    /// The identifier of the request.
    pub request_id: String,
    /// The client's address, as far as it is known; of an IPv6 address the /64.
    #[schema(required = true)]
    pub address: Option<String>,
    /// The client's name for itself.
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

/// Returns the smallest identifier that an event of that time could have.
pub fn first_id_at(at: Timestamp) -> AuditId {
    first_at(at).into()
}

fn first_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis.min((1 << 48) - 1), &[0; 10]).into_uuid()
}
