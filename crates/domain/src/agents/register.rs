//! Registering an agent, and changing its registration.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Agent, Capability, MAX_AGENTS, check_capabilities, check_endpoint, store};
use kernel::{
    Core, audit,
    caller::{Permission, Principal},
    checks::Checks,
    crypto::{Did, PublicKey},
    error::{Code, Error, Result},
    idempotency::{self, Once},
    signature::{self, Proof},
};

/// What an agent says of itself.
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
    /// What it can do.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub capabilities: Vec<Capability>,
    /// Where to push intents to; without it the agent pulls them from its inbox.
    #[serde(default)]
    #[schema(
        max_length = 2048,
        pattern = "^https?://[^/?#@\\s]+(?:[/?][^#\\s]*)?$",
        example = "https://agent.example.com/inbox"
    )]
    pub endpoint: Option<String>,
}

/// What became of a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// The agent as it now stands.
    pub agent: Agent,
    /// Whether it is new, or was changed.
    pub created: bool,
}

/// Names what must be right before the key that has to have signed is known.
impl Registration {
    /// The DID and key, when both are well formed and belong together.
    ///
    /// # Errors
    /// [`Code::InvalidDid`], [`Code::InvalidPublicKey`], [`Code::DidKeyMismatch`].
    pub fn identity(&self) -> Result<(Did, PublicKey)> {
        let mut checks = Checks::new();
        let did = checks.keep("/did", Code::InvalidDid, self.did.parse::<Did>());
        let key = checks.keep("/public_key", Code::InvalidPublicKey, self.public_key.parse::<PublicKey>());
        if let (Some(did), Some(key)) = (&did, &key)
            && !did.admits(key)
        {
            checks.broken(
                Code::DidKeyMismatch,
                "/did",
                format!("is not the did:key of `public_key`, which is {}", Did::key(key)),
            );
        }
        checks.finish()?;
        did.zip(key).ok_or_else(|| Error::new(Code::ValidationFailed, "`did` and `public_key` are needed"))
    }
}

/// Registers the agent that made `proof`, or changes its registration. With `once`, asking again gets the first answer.
///
/// # Errors
/// [`Code::PermissionMissing`]; fields that break a rule; [`Code::Forbidden`] when another DID or key signed; [`Code::AgentKeyConflict`] when the DID is registered with
/// another key; [`Code::LimitReached`]; [`Code::NonceReplayed`]; those of [`Once`] and of the database.
pub async fn register(
    core: &Core,
    by: &Principal,
    proof: &Proof,
    wanted: Registration,
    once: Option<&Once>,
) -> Result<Registered> {
    by.require(Permission::AgentsWrite)?;
    let (did, public_key) = wanted.identity()?;
    if (&did, &public_key) != (&proof.did, &proof.public_key) {
        return Err(Error::new(
            Code::Forbidden,
            "An agent registers itself: sign with the DID and key that the body names",
        ));
    }
    let mut checks = Checks::new();
    checks.text("/name", &wanted.name, 1..=100);
    check_capabilities(&mut checks, &wanted.capabilities);
    let endpoint = wanted.endpoint.as_deref().and_then(|endpoint| check_endpoint(&mut checks, endpoint));
    checks.finish()?;

    let now = core.clock.now();
    let agent = Agent {
        id: core.ids.next(),
        did,
        public_key,
        name: wanted.name,
        capabilities: wanted.capabilities,
        endpoint,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut tx = core.db.begin(by.caller()).await?;
    if let Some(first) = signature::spend_once(&mut tx, core, by.project, proof, once).await? {
        return Ok(first);
    }
    let before = store::find_to_change(&mut tx, by.project, &agent.did).await?;
    let Some((agent, created)) = store::upsert(&mut tx, by.project, &agent).await? else {
        let detail = format!("{} is registered with another key; remove that agent first", agent.did);
        return Err(Error::new(Code::AgentKeyConflict, detail));
    };
    if store::count(&mut tx, by.project).await? > MAX_AGENTS {
        let detail = format!("A project can have at most {MAX_AGENTS} agents; remove one first");
        return Err(Error::new(Code::LimitReached, detail));
    }
    let action = if created { "agent.registered" } else { "agent.updated" };
    let change = (before.as_ref(), Some(&agent));
    audit::record_change(&mut tx, core, by, action, &agent.id.to_string(), change).await?;
    let registered = Registered { agent, created };
    idempotency::keep(once, &mut tx, core, &registered).await?;
    tx.commit().await?;
    Ok(registered)
}
