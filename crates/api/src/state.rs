//! What handlers share.

use std::{ops::Deref, sync::Arc, time::Instant};

use adapters::{health::Health, rate::RateLimiter, settings::Environment};
use domain::{
    agents::Directory,
    identity::{access_token::AccessTokens, passkeys::RelyingParty, password::Passwords},
};
use kernel::{Core, signature::Origin};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vault::{Appender, Vault};

use crate::{auth::Credentials, polls::Polls};

/// [`Shared`] by all. Cloned several times for every request, so that cloning it counts to one more
/// and no further.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

impl From<Shared> for AppState {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What there is one of in a process.
pub struct Shared {
    /// What use cases need.
    pub core: Core,
    /// Finds agents.
    pub agents: Directory,
    /// Looks credentials up.
    pub credentials: Credentials,
    /// Issues access tokens.
    pub tokens: AccessTokens,
    /// Whose passkeys people log in with.
    pub party: RelyingParty,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Reads, proves and decides.
    pub vault: Vault,
    /// Where seals queue.
    pub appender: Appender,
    /// What signatures must name as scheme and authority.
    pub origin: Origin,
    /// How the dependencies are.
    pub health: Health,
    /// Counts requests.
    pub limiter: RateLimiter,
    /// Facts about this process.
    pub about: About,
    /// Who waits for their inbox.
    pub polls: Polls,
    /// Places for exports, each of which reads and holds a good many rows.
    pub exports: Arc<Semaphore>,
    /// Ends long polls when the process is asked to stop.
    pub stop: CancellationToken,
}

/// Facts about this process that do not change.
#[derive(Debug)]
pub struct About {
    /// Where it runs.
    pub environment: Environment,
    /// Since when.
    pub started: Instant,
    /// The version of the build.
    pub version: &'static str,
    /// The commit of the build, where it is known.
    pub commit: Option<&'static str>,
    /// Requests a minute for each person, key, agent or anonymous address on the smallest plan; 0
    /// for no limit.
    pub rate_limit: u32,
    /// Attempts at signing up and logging in, per address and account, in 15 minutes; 0 for no
    /// limit.
    pub auth_rate_limit: u32,
    /// How many entries at the end of X-Forwarded-For were written by proxies of ours.
    pub trusted_proxy_depth: usize,
    /// Whose pages may use the refresh token's cookie.
    pub cookie_origins: Vec<String>,
    /// The public key that pushed deliveries verify under, `whpk_…`.
    pub webhook_public_key: String,
}
