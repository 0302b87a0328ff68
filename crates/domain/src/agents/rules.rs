//! Rules for the values of a registration.

use kernel::{
    caller::{Actor, Authorized},
    checks::Checks,
    crypto::{Did, PublicKey},
    error::{Code, Error, Result},
};
use url::Url;

use super::{
    limits::{MAX_CAPABILITIES, MAX_CAPABILITIES_BYTES, MAX_ENDPOINT, MAX_TAGS},
    model::{AgentName, Capability, Registration},
};

impl Registration {
    /// Returns the DID and the key, when both are well formed and belong together.
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
            let detail = format!("is not the did:key of `public_key`, which is {}", Did::key(key));
            checks.broken(Code::DidKeyMismatch, "/did", detail);
        }
        checks.finish()?;
        did.zip(key).ok_or_else(|| Error::internal("a DID or a key was neither kept nor refused"))
    }
}

/// Requires that an agent which asks is the agent of that name: none changes another.
///
/// # Errors
/// [`Code::Forbidden`].
pub(super) fn require_itself<P>(by: &Authorized<P>, name: &AgentName) -> Result<()> {
    let Actor::Agent(signer) = by.actor else { return Ok(()) };
    let is_itself = match name {
        AgentName::Id(id) => *id == signer,
        AgentName::Did(did) => by.request.proof.as_ref().is_some_and(|proof| proof.did == *did),
    };
    if is_itself { Ok(()) } else { Err(Error::new(Code::Forbidden, "An agent may change only itself")) }
}

/// Returns the error for a name that no agent of the project has.
pub(super) fn unknown(name: &AgentName) -> Error {
    Error::not_found(format!("agent {name}"))
}

/// Checks a name for people.
pub(super) fn check_name(checks: &mut Checks, name: &str) {
    checks.text("/name", name, 1..=100);
}

/// Checks capabilities, each by itself and all together.
pub(super) fn check_capabilities(checks: &mut Checks, capabilities: &[Capability]) {
    checks.count("/capabilities", capabilities.len(), MAX_CAPABILITIES);
    let bytes = serde_json::to_vec(capabilities).map_or(0, |json| json.len());
    if bytes > MAX_CAPABILITIES_BYTES {
        let detail =
            format!("may have at most {MAX_CAPABILITIES_BYTES} bytes of JSON together, have {bytes}");
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

/// Checks that an endpoint is an absolute `http` or `https` URL with a host, and with nothing that
/// is not sent to a server or that could hide another host. Its address is checked when it is
/// connected to, because names resolve anew each time.
pub(super) fn check_endpoint(checks: &mut Checks, endpoint: &str) -> Option<Url> {
    if endpoint.len() > MAX_ENDPOINT {
        checks.broken(Code::TooLong, "/endpoint", format!("may have at most {MAX_ENDPOINT} characters"));
        return None;
    }
    let refused = match Url::parse(endpoint) {
        Err(_) => "must be an absolute URL such as https://agent.example.com/inbox",
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
            "must be an http or https URL with a host"
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "must not hold a user name or password: every delivery is signed, verify that"
        }
        Ok(url) if url.fragment().is_some() => "must not have a fragment",
        Ok(url) => return Some(url),
    };
    checks.broken(Code::InvalidEndpoint, "/endpoint", refused);
    None
}
