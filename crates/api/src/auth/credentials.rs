//! Credentials that were looked up, kept for a few seconds: a request costs no round trip for who is asking, and what was revoked is
//! refused on every replica within [`KEPT_FOR`].

use std::{hash::Hash, sync::Arc, time::Duration};

use domain::identity::{
    self, ApiKey, KnownAgent, KnownKey, KnownMembership,
    access_token::{AccessTokens, Bearer},
};
use kernel::{
    Code, Core, Error, Result,
    crypto::Did,
    ids::{ApiKeyId, ProjectId, SessionId, UserId},
};
use moka::future::Cache;

/// How long a credential is believed without asking Postgres again.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// How many of each are kept.
const CAPACITY: u64 = 10_000;

/// Looks credentials up, and remembers those that exist. What does not exist is asked for each time, so that an agent can sign its first
/// request as soon as it is registered.
#[derive(Debug, Clone)]
pub struct Credentials {
    core: Core,
    tokens: AccessTokens,
    /// By the secret's hash as well, so that a wrong secret finds nothing.
    keys: Cache<(ApiKeyId, [u8; 32]), Arc<KnownKey>>,
    agents: Cache<(Did, Option<ProjectId>), Arc<[KnownAgent]>>,
    sessions: Cache<SessionId, identity::KnownSession>,
    memberships: Cache<(UserId, ProjectId), KnownMembership>,
}

impl Credentials {
    /// Nothing remembered yet.
    pub fn new(core: Core, tokens: AccessTokens) -> Self {
        fn cache<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
            Cache::builder().max_capacity(CAPACITY).time_to_live(KEPT_FOR).build()
        }
        Self { core, tokens, keys: cache(), agents: cache(), sessions: cache(), memberships: cache() }
    }

    /// What `text`, an API key, opens.
    ///
    /// # Errors
    /// [`Code::ApiKeyInvalid`], the same for every reason; those of the database.
    pub async fn key(&self, text: &str) -> Result<(ApiKeyId, Arc<KnownKey>)> {
        let refused = || Error::new(Code::ApiKeyInvalid, "The API key is mistyped, revoked or expired");
        let key: ApiKey = text.parse().map_err(|_| refused())?;
        let hash = key.secret_hash();
        let known = match self.keys.get(&(key.id(), hash)).await {
            Some(known) => known,
            None => {
                let known = identity::find_key(&self.core, key.id(), &hash).await?.ok_or_else(refused)?;
                let known = Arc::new(known);
                self.keys.insert((key.id(), hash), Arc::clone(&known)).await;
                known
            }
        };
        let lives = known.expires_at.is_none_or(|end| end > self.core.clock.now());
        if lives { Ok((key.id(), known)) } else { Err(refused()) }
    }

    /// The person whom `text`, an access token, proves, while their session lives.
    ///
    /// # Errors
    /// [`Code::AccessTokenInvalid`]; those of the database.
    pub async fn person(&self, text: &str) -> Result<Bearer> {
        let now = self.core.clock.now();
        let bearer = self.tokens.check(text, now)?;
        let ended = || Error::new(Code::AccessTokenInvalid, "The session was ended; log in again");
        let session = match self.sessions.get(&bearer.session).await {
            Some(session) => session,
            None => {
                let session = identity::find_session(&self.core, bearer.session).await?.ok_or_else(ended)?;
                self.sessions.insert(bearer.session, session).await;
                session
            }
        };
        if session.user == bearer.user && session.expires_at > now { Ok(bearer) } else { Err(ended()) }
    }

    /// What `user` is in `project`.
    ///
    /// # Errors
    /// [`Code::NotFound`], for unknown and foreign projects alike; those of the database.
    pub async fn membership(&self, user: UserId, project: ProjectId) -> Result<KnownMembership> {
        if let Some(membership) = self.memberships.get(&(user, project)).await {
            return Ok(membership);
        }
        let membership = identity::find_membership(&self.core, user, project).await?;
        let membership = membership.ok_or_else(|| Error::new(Code::NotFound, "There is no project of that id"))?;
        self.memberships.insert((user, project), membership).await;
        Ok(membership)
    }

    /// The agents that `did` can mean, one in each project that has it, or the one in `project`; none when it is not registered.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn agents(&self, did: &Did, project: Option<ProjectId>) -> Result<Arc<[KnownAgent]>> {
        let asked = (did.clone(), project);
        if let Some(agents) = self.agents.get(&asked).await {
            return Ok(agents);
        }
        let agents: Arc<[KnownAgent]> = identity::find_agents(&self.core, did, project).await?.into();
        if !agents.is_empty() {
            self.agents.insert(asked, Arc::clone(&agents)).await;
        }
        Ok(agents)
    }

    /// Forgets what is remembered of `did`, after its registration changed.
    pub async fn forget_agent(&self, did: &Did, project: ProjectId) {
        self.agents.invalidate(&(did.clone(), None)).await;
        self.agents.invalidate(&(did.clone(), Some(project))).await;
    }

    /// Forgets a session that was ended here. Other replicas forget it by themselves, within [`KEPT_FOR`].
    pub async fn forget_session(&self, session: SessionId) {
        self.sessions.invalidate(&session).await;
    }

    /// Forgets all sessions, after one person's were ended here.
    pub fn forget_sessions(&self) {
        self.sessions.invalidate_all();
    }

    /// Forgets what the keys open, after one was revoked or changed here.
    pub fn forget_keys(&self) {
        self.keys.invalidate_all();
    }

    /// Forgets who is a member of what, after that changed here.
    pub fn forget_memberships(&self) {
        self.memberships.invalidate_all();
    }
}
