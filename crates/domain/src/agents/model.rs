//! Agents, on the wire and in a path.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    crypto::{Did, PublicKey},
    ids::AgentId,
    patch::Patch,
};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// Something an agent can do, for others to find it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// A sentence that says what it does.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = "^[^\\u0000]*$",
        example = "Translates text between European languages"
    )]
    pub description: String,
    /// Words to find it by.
    #[serde(default)]
    #[schema(max_items = 16, value_type = Vec<Tag>)]
    pub tags: Vec<String>,
    /// The version of this capability, in the agent's own scheme.
    #[schema(min_length = 1, max_length = 32, pattern = "^[^\\u0000]*$", example = "1.0")]
    pub version: String,
}

/// A word to find a capability by.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
#[expect(dead_code, reason = "names the schema of a tag")]
struct Tag(String);

/// A registered agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Agent {
    /// Its identifier.
    pub id: AgentId,
    /// Its DID.
    pub did: Did,
    /// Its Ed25519 public key, base64url.
    pub public_key: PublicKey,
    /// Its name, for people.
    pub name: String,
    /// The things it can do.
    pub capabilities: Vec<Capability>,
    /// The URL that intents are pushed to; null when it pulls them from its inbox.
    #[schema(required = true)]
    pub endpoint: Option<Url>,
    /// Grows by one with each change; the `ETag`.
    pub version: i32,
    /// When it was first registered.
    pub created_at: DateTime<Utc>,
    /// When its registration last changed.
    pub updated_at: DateTime<Utc>,
}

impl Resource for Agent {
    const LOCATED: bool = true;
    const VERSIONED: bool = true;

    fn location(&self) -> Option<String> {
        Some(format!("/v1/agents/{}", self.id))
    }

    fn version(&self) -> Option<i32> {
        Some(self.version)
    }
}

/// The registration that an agent signs.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "AgentRegistration")]
pub struct Registration {
    /// The DID to register; a `did:key` must be that of `public_key`.
    #[schema(value_type = Did)]
    pub did: String,
    /// The Ed25519 public key (32 bytes, base64 of either alphabet) that signs this request.
    #[schema(value_type = PublicKey)]
    pub public_key: String,
    /// A name, for people.
    #[schema(min_length = 1, max_length = 100, pattern = "^[^\\u0000]*$", example = "Translator")]
    pub name: String,
    /// The things it can do.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub capabilities: Vec<Capability>,
    /// The URL to push intents to; without it the agent pulls them from its inbox.
    #[serde(default)]
    #[schema(
        max_length = 2048,
        pattern = "^https?://[^/?#@\\s]+(?:[/?][^#\\s]*)?$",
        example = "https://agent.example.com/inbox"
    )]
    pub endpoint: Option<String>,
}

/// A change of an agent. What is absent stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPatch {
    /// A name, for people.
    #[serde(default)]
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000]*$",
        example = "Translator"
    )]
    pub name: Patch<String>,
    /// The things it can do, in place of those it has.
    #[serde(default)]
    #[schema(value_type = Vec<Capability>, max_items = 32)]
    pub capabilities: Patch<Vec<Capability>>,
    /// The URL to push intents to; with null the agent pulls them from its inbox.
    #[serde(default)]
    #[schema(
        value_type = Option<String>,
        max_length = 2048,
        pattern = "^https?://[^/?#@\\s]+(?:[/?][^#\\s]*)?$",
        example = "https://agent.example.com/inbox"
    )]
    pub endpoint: Patch<Option<String>>,
}

/// An agent as a path names it: by its id or its DID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AgentName {
    /// By its id.
    Id(AgentId),
    /// By its DID.
    Did(Did),
}

impl AgentName {
    /// Returns the id or the DID, whichever it is.
    pub(super) fn parts(&self) -> (Option<AgentId>, Option<&Did>) {
        match self {
            AgentName::Id(id) => (Some(*id), None),
            AgentName::Did(did) => (None, Some(did)),
        }
    }
}

/// The error for text that names no agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an agent's id such as agt_019aa3f0c1d27abc8def0123456789ab, or its DID")]
pub struct NotAnAgentName;

impl FromStr for AgentName {
    type Err = NotAnAgentName;

    fn from_str(text: &str) -> Result<Self, NotAnAgentName> {
        if text.starts_with("did:") {
            return text.parse().map(Self::Did).map_err(|_| NotAnAgentName);
        }
        text.parse().map(Self::Id).map_err(|_| NotAnAgentName)
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgentName::Id(id) => id.fmt(f),
            AgentName::Did(did) => did.fmt(f),
        }
    }
}

impl PartialSchema for AgentName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(Did::MAX_LENGTH))
            .pattern(Some(format!("^agt_[0-9a-f]{{32}}$|{}", Did::PATTERN)))
            .description(Some("An agent's id, or its DID"))
            .examples(["agt_019aa3f0c1d27abc8def0123456789ab"])
            .into()
    }
}

impl ToSchema for AgentName {}
