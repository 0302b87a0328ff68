//! Credentials that were looked up, kept for a few seconds: a request costs no round trip for who is asking, and what was revoked is
//! refused on every replica within [`KEPT_FOR`].

use std::{sync::Arc, time::Duration};

use domain::{
    Clock, Code, Db, Error, Result,
    crypto::Did,
    identity::{self, ApiKey, KnownAgent, KnownKey},
    ids::{ApiKeyId, ProjectId},
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
    db: Db,
    clock: Clock,
    keys: Cache<ApiKeyId, Arc<KnownKey>>,
    agents: Cache<(Did, Option<ProjectId>), Arc<[KnownAgent]>>,
}

impl Credentials {
    /// Nothing remembered yet.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            keys: Cache::builder().max_capacity(CAPACITY).time_to_live(KEPT_FOR).build(),
            agents: Cache::builder().max_capacity(CAPACITY).time_to_live(KEPT_FOR).build(),
        }
    }

    /// The project that `text`, an API key, opens.
    ///
    /// # Errors
    /// [`Code::ApiKeyInvalid`], the same for every reason; those of the database.
    pub async fn project_of_key(&self, text: &str) -> Result<(ProjectId, ApiKeyId)> {
        let refused = || Error::new(Code::ApiKeyInvalid, "The API key is mistyped, revoked or expired");
        let key: ApiKey = text.parse().map_err(|_| refused())?;
        let known = match self.keys.get(&key.id()).await {
            Some(known) => known,
            None => {
                let known = Arc::new(identity::find_key(&self.db, key.id()).await?.ok_or_else(refused)?);
                self.keys.insert(key.id(), Arc::clone(&known)).await;
                known
            }
        };
        let lives = known.expires_at.is_none_or(|end| end > self.clock.now());
        // Digests are compared, so what the time of the comparison tells is of no use to a guesser.
        if lives && known.secret_hash == key.secret_hash() { Ok((known.project, key.id())) } else { Err(refused()) }
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
        let agents: Arc<[KnownAgent]> = identity::find_agents(&self.db, did, project).await?.into();
        if !agents.is_empty() {
            self.agents.insert(asked, Arc::clone(&agents)).await;
        }
        Ok(agents)
    }

    /// Forgets what is remembered of `did`, after its registration changed.
    pub async fn forget(&self, did: &Did, project: ProjectId) {
        self.agents.invalidate(&(did.clone(), None)).await;
        self.agents.invalidate(&(did.clone(), Some(project))).await;
    }
}
