//! Looks credentials up, and remembers those that exist, so that proving a caller costs no round
//! trip.

use std::sync::Arc;

use domain::identity::{
    self, ApiKey, KnownAgent, KnownKey, KnownMembership,
    access_token::{AccessTokens, Bearer},
};
use kernel::{
    Code, Core, Error, Result,
    crypto::Did,
    ids::{ApiKeyId, ProjectId, UserId},
};

use super::cache::Cached;

/// Looks credentials up, and remembers those that exist. Unknown ones are looked up each time, so
/// that an agent can sign its first request as soon as it is registered.
#[derive(Debug, Clone)]
pub struct Credentials {
    core: Core,
    tokens: AccessTokens,
    cached: Cached,
}

impl Credentials {
    /// Creates the look-up. `core` tells its memory what was revoked.
    pub fn new(core: Core, tokens: AccessTokens, cached: Cached) -> Self {
        Self { core, tokens, cached }
    }

    /// Returns the project and the permissions that `text`, an API key, opens.
    ///
    /// # Errors
    /// [`Code::ApiKeyInvalid`], the same for every reason.
    pub async fn key(&self, text: &str) -> Result<(ApiKeyId, Arc<KnownKey>)> {
        let refused = || Error::new(Code::ApiKeyInvalid, "The API key is mistyped, revoked or expired");
        let key: ApiKey = text.parse().map_err(|_| refused())?;
        let hash = key.secret_hash();
        // A wrong secret finds nothing, neither here nor in Postgres.
        let known = match self.cached.keys.get(&key.id()).filter(|known| known.secret_hash == hash) {
            Some(known) => known,
            None => {
                let known = identity::find_key(&self.core, key.id(), &hash).await?.ok_or_else(refused)?;
                let known = Arc::new(known);
                self.cached.keys.insert(key.id(), Arc::clone(&known));
                known
            }
        };
        let lives = known.expires_at.is_none_or(|end| end > self.core.clock.now());
        if lives { Ok((key.id(), known)) } else { Err(refused()) }
    }

    /// Returns the person whom `text`, an access token, proves, while their session lives.
    ///
    /// # Errors
    /// [`Code::AccessTokenInvalid`].
    pub async fn person(&self, text: &str) -> Result<Bearer> {
        let now = self.core.clock.now();
        let bearer = self.tokens.check(text, now)?;
        let ended = || Error::new(Code::AccessTokenInvalid, "The session was ended; log in again");
        let session = match self.cached.sessions.get(&bearer.session) {
            Some(session) => session,
            None => {
                let session = identity::find_session(&self.core, bearer.session).await?.ok_or_else(ended)?;
                self.cached.sessions.insert(bearer.session, session);
                session
            }
        };
        if session.user == bearer.user && session.expires_at > now { Ok(bearer) } else { Err(ended()) }
    }

    /// Returns the membership of `user` in the organization of `project`.
    ///
    /// # Errors
    /// [`Code::NotFound`], for unknown and foreign projects alike.
    pub async fn membership(&self, user: UserId, project: ProjectId) -> Result<KnownMembership> {
        if let Some(membership) = self.cached.memberships.get(&(user, project)) {
            return Ok(membership);
        }
        let membership = identity::find_membership(&self.core, user, project).await?;
        let membership =
            membership.ok_or_else(|| Error::new(Code::NotFound, "There is no project of that id"))?;
        self.cached.memberships.insert((user, project), membership);
        Ok(membership)
    }

    /// Returns the agents that `did` can mean: the one in `project`, or one in each project that
    /// has registered it. Empty when it is not registered.
    ///
    /// # Errors
    /// [`Code::Unavailable`].
    pub async fn agents(&self, did: &Did, project: Option<ProjectId>) -> Result<Arc<[KnownAgent]>> {
        let wanted = (did.clone(), project);
        if let Some(agents) = self.cached.agents.get(&wanted) {
            return Ok(agents);
        }
        let agents: Arc<[KnownAgent]> = identity::find_agents(&self.core, did, project).await?.into();
        if !agents.is_empty() {
            self.cached.agents.insert(wanted, Arc::clone(&agents));
        }
        Ok(agents)
    }
}
