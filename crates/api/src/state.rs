//! The state that handlers share.

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

/// The state that handlers share. It is cloned several times for every request, so cloning it
/// counts only one reference.
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

/// The parts of a process of which there is one each.
pub struct Shared {
    /// The dependencies of use cases.
    pub core: Core,
    /// Finds agents.
    pub agents: Directory,
    /// Looks credentials up.
    pub credentials: Credentials,
    /// Issues access tokens.
    pub tokens: AccessTokens,
    /// The relying party of passkeys.
    pub party: RelyingParty,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Reads, proves and decides seals.
    pub vault: Vault,
    /// The queue of seals.
    pub appender: Appender,
    /// The scheme and authority that signatures must name.
    pub origin: Origin,
    /// The state of the dependencies.
    pub health: Health,
    /// Counts requests.
    pub limiter: RateLimiter,
    /// The facts about this process.
    pub about: About,
    /// The long polls that wait for an inbox.
    pub polls: Polls,
    /// The places for exports, each of which reads and holds a good many rows.
    pub exports: Arc<Semaphore>,
    /// Ends long polls when the process is asked to stop.
    pub stop: CancellationToken,
}

/// The facts about this process that do not change.
#[derive(Debug)]
pub struct About {
    /// The place where it runs.
    pub environment: Environment,
    /// The time of its start.
    pub started: Instant,
    /// The version of the build.
    pub version: &'static str,
    /// The commit of the build, where it is known.
    pub commit: Option<&'static str>,
    /// The requests a minute for each person, key, agent or anonymous address on the smallest plan;
    /// 0 for no limit.
    pub rate_limit: u32,
    /// The attempts at signing up and logging in, per address and account, in 15 minutes; 0 for no
    /// limit.
    pub auth_rate_limit: u32,
    /// The number of entries at the end of X-Forwarded-For that proxies of ours wrote.
    pub trusted_proxy_depth: usize,
    /// The origins whose pages may use the refresh token's cookie.
    pub cookie_origins: Vec<String>,
    /// The public key that pushed deliveries verify under, `whpk_…`.
    pub webhook_public_key: String,
}
