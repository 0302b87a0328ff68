//! The registry: which agents a project has, what they can do, and where they are reached.

mod directory;
mod list;
mod register;
mod remove;
mod store;

pub use directory::Directory;
pub use list::list;
pub use register::{Registered, Registration, register};
pub use remove::{remove, retire};

pub mod jobs;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use kernel::{
    checks::Checks,
    crypto::{Did, PublicKey},
    error::Code,
    ids::AgentId,
};

/// Something an agent can do, for others to find it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// What it does, in a sentence.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// Its identifier.
    pub id: AgentId,
    /// Its DID.
    pub did: Did,
    /// Its Ed25519 public key, base64url.
    pub public_key: PublicKey,
    /// Its name, for people.
    pub name: String,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Where intents are pushed to; null when it pulls them from its inbox.
    #[schema(required = true)]
    pub endpoint: Option<Url>,
    /// Grows by one with each change; the `ETag`.
    pub version: i32,
    /// When it was first registered.
    pub created_at: DateTime<Utc>,
    /// When its registration last changed.
    pub updated_at: DateTime<Utc>,
}

/// How many agents a project can have. Registrations of one moment may pass it by as many as they are: the bound keeps look-ups and pages cheap, and
/// need not be exact.
pub const MAX_AGENTS: i64 = 10_000;
const MAX_CAPABILITIES: usize = 32;
const MAX_TAGS: usize = 16;
const MAX_ENDPOINT: usize = 2048;
/// What all capabilities together may be, in bytes of JSON: a page of agents is put together in memory.
const MAX_CAPABILITIES_BYTES: usize = 16 * 1024;

fn check_capabilities(checks: &mut Checks, capabilities: &[Capability]) {
    checks.count("/capabilities", capabilities.len(), MAX_CAPABILITIES);
    let bytes = serde_json::to_vec(capabilities).map_or(0, |json| json.len());
    if bytes > MAX_CAPABILITIES_BYTES {
        let detail = format!("may have at most {MAX_CAPABILITIES_BYTES} bytes of JSON together, have {bytes}");
        checks.broken(Code::TooLong, "/capabilities", detail);
    }
    for (i, capability) in capabilities.iter().take(MAX_CAPABILITIES).enumerate() {
        let at = |field: &str| format!("/capabilities/{i}/{field}");
        checks.text(&at("description"), &capability.description, 1..=500);
        checks.text(&at("version"), &capability.version, 1..=32);
        checks.count(&at("tags"), capability.tags.len(), MAX_TAGS);
        for (t, tag) in capability.tags.iter().take(MAX_TAGS).enumerate() {
            checks.text(&at(&format!("tags/{t}")), tag, 1..=64);
        }
    }
}

/// An absolute `http` or `https` URL with a host and nothing that a server would not be sent or that could hide another host. Where it
/// leads is checked when it is connected to: names resolve anew each time.
fn check_endpoint(checks: &mut Checks, endpoint: &str) -> Option<Url> {
    let refused = |checks: &mut Checks, why: &str| checks.broken(Code::InvalidEndpoint, "/endpoint", why);
    if endpoint.len() > MAX_ENDPOINT {
        checks.broken(Code::TooLong, "/endpoint", format!("may have at most {MAX_ENDPOINT} characters"));
        return None;
    }
    let Ok(url) = Url::parse(endpoint) else {
        refused(checks, "must be an absolute URL such as https://agent.example.com/inbox");
        return None;
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        refused(checks, "must be an http or https URL with a host");
    } else if !url.username().is_empty() || url.password().is_some() {
        refused(checks, "must not hold a user name or password: every delivery is signed, verify that");
    } else if url.fragment().is_some() {
        refused(checks, "must not have a fragment");
    } else {
        return Some(url);
    }
    None
}
