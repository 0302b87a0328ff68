//! Identifiers: UUIDv7 (RFC 9562) in SQL, `<prefix>_<32 hex digits>` on the wire; and the one
//! source of randomness.

use std::{fmt, str::FromStr, sync::Arc, sync::Mutex};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::clock::Clock;

/// Makes identifiers and secrets. Seeded by the operating system, or by a test that wants the same
/// identifiers again.
#[derive(Clone)]
pub struct Ids {
    clock: Clock,
    seeded: Option<Arc<Mutex<StdRng>>>,
}

impl Ids {
    /// Creates identifiers whose time comes from `clock` and whose randomness from the operating
    /// system.
    pub fn new(clock: Clock) -> Self {
        Self { clock, seeded: None }
    }

    /// Creates identifiers that repeat for the same `seed` and the same times. For tests.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        Self { clock, seeded: Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))) }
    }

    /// Returns a new identifier of any of the typed kinds.
    pub fn next<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid().into()
    }

    /// Returns `N` bytes fit for a secret.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.seeded {
            Some(rng) => match rng.lock() {
                Ok(mut rng) => rng.fill_bytes(&mut bytes),
                Err(poisoned) => poisoned.into_inner().fill_bytes(&mut bytes),
            },
            None => os_random(&mut bytes),
        }
        bytes
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that may ask for randomness")]
fn os_random(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

/// The error for text that is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be `{prefix}_` followed by 32 hexadecimal digits")]
pub struct NotAnId {
    prefix: &'static str,
}

/// Defines a typed identifier: transparent UUID in SQL, prefixed text in JSON, paths and logs.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The text before the `_` on the wire.
            pub const PREFIX: &'static str = $prefix;

            /// Returns the bare UUID, as SQL has it.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse($prefix, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                wire_schema($prefix)
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// Parses the canonical spelling alone: lower case, no hyphens, so that one identifier has one
/// text.
fn parse(prefix: &'static str, text: &str) -> Result<Uuid, NotAnId> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| hex.len() == 32 && !hex.bytes().any(|b| b.is_ascii_uppercase()))
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or(NotAnId { prefix })
}

fn wire_schema(prefix: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .max_length(Some(prefix.len() + 33))
        .pattern(Some(format!("^{prefix}_[0-9a-f]{{32}}$")))
        .examples([format!("{prefix}_019aa3f0c1d27abc8def0123456789ab")])
        .into()
}

id!(
    /// A project: the tenant that every other row belongs to.
    ProjectId, "prj"
);
id!(
    /// A project's API key; public, the secret beside it is not.
    ApiKeyId, "key"
);
id!(
    /// A registered agent.
    AgentId, "agt"
);
id!(
    /// An intent: a signed message from one agent to another.
    IntentId, "int"
);
id!(
    /// The delivery of one intent to its recipient.
    DeliveryId, "dlv"
);
id!(
    /// The right to settle one delivery, until the lease ends or is taken again.
    LeaseToken, "lse"
);
id!(
    /// A person's account.
    UserId, "usr"
);
id!(
    /// An organization: the people who share projects.
    OrganizationId, "org"
);
id!(
    /// An invitation into an organization.
    InvitationId, "inv"
);
id!(
    /// A login and all that followed from it.
    SessionId, "ses"
);
id!(
    /// A person's passkey.
    PasskeyId, "pky"
);
id!(
    /// A WebAuthn ceremony between its two requests.
    CeremonyId, "cer"
);
id!(
    /// A row of the audit log.
    AuditId, "aud"
);

id!(
    /// A log of the vault. Each project has one, of the same digits; the meta-log's are all 0.
    LogId, "log"
);

impl LogId {
    /// The log whose entries are the heads of the others.
    pub const META: Self = Self(Uuid::nil());

    /// Returns the tenant that its rows are kept for.
    pub const fn project(self) -> ProjectId {
        ProjectId(self.0)
    }
}

impl From<ProjectId> for LogId {
    fn from(project: ProjectId) -> Self {
        Self(project.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_has_one_text() {
        let id: AgentId = Ids::seeded(Clock::system(), 1).next();
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert!(text.to_uppercase().parse::<AgentId>().is_err());
        assert!(text.replace("agt_", "int_").parse::<AgentId>().is_err());
        let hyphenated = format!("agt_{}", id.uuid());
        assert!(hyphenated.parse::<AgentId>().is_err());
    }

    #[test]
    fn the_same_seed_makes_the_same_identifiers() {
        let clock = Clock::held(chrono::DateTime::UNIX_EPOCH);
        let first: AgentId = Ids::seeded(clock.clone(), 7).next();
        let second: AgentId = Ids::seeded(clock, 7).next();
        assert_eq!(first, second);
    }
}
