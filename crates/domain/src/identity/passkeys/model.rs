//! Passkeys and ceremonies, on the wire and in their rows.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::ids::{CeremonyId, PasskeyId};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use utoipa::ToSchema;

/// The most passkeys of a person.
pub const MAX_PASSKEYS: usize = 20;
/// The time that a ceremony may take.
pub(super) const CEREMONY_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// A passkey, as its holder sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromRow)]
pub struct Passkey {
    /// Its identifier.
    pub id: PasskeyId,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last logged in with.
    #[schema(required = true)]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A ceremony that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct Begun {
    /// The name of the ceremony, for the request that finishes it.
    pub ceremony_id: CeremonyId,
    /// The argument for `navigator.credentials`, binary values as base64url: `{publicKey: …}`.
    #[schema(value_type = Object)]
    pub options: Value,
}
