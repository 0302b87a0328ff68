//! Credentials that were looked up, kept for a few seconds.

use std::{hash::Hash, sync::Arc, time::Duration};

use domain::identity::{KnownAgent, KnownKey, KnownMembership, KnownSession};
use kernel::{
    crypto::Did,
    ids::{ApiKeyId, ProjectId, SessionId, UserId},
    ports::{Credential, CredentialCache},
};
use moka::sync::Cache;

/// The time that a credential is believed without asking Postgres again.
const LIFETIME: Duration = Duration::from_secs(5);
/// The most credentials of each kind that are kept.
const CAPACITY: u64 = 10_000;

/// The credentials that this replica remembers. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Cached {
    pub(super) keys: Cache<ApiKeyId, Arc<KnownKey>>,
    pub(super) agents: Cache<(Did, Option<ProjectId>), Arc<[KnownAgent]>>,
    pub(super) sessions: Cache<SessionId, KnownSession>,
    pub(super) memberships: Cache<(UserId, ProjectId), KnownMembership>,
}

impl Default for Cached {
    fn default() -> Self {
        Self { keys: cache(), agents: cache(), sessions: cache(), memberships: cache() }
    }
}

fn cache<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
    Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).support_invalidation_closures().build()
}

impl CredentialCache for Cached {
    fn forget(&self, credential: &Credential) {
        match credential {
            Credential::ApiKey(id) => self.keys.invalidate(id),
            Credential::Agent(project, did) => {
                self.agents.invalidate(&(did.clone(), None));
                self.agents.invalidate(&(did.clone(), Some(*project)));
            }
            Credential::Session(session) => self.sessions.invalidate(session),
            Credential::SessionsOf(user) => {
                let user = *user;
                // This fails only where closures are not supported.
                let _ = self.sessions.invalidate_entries_if(move |_, known| known.user == user);
            }
            Credential::MembershipsOf(user) => {
                let user = *user;
                let _ = self.memberships.invalidate_entries_if(move |(member, _), _| *member == user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use kernel::{Clock, Ids};

    use super::*;

    #[test]
    fn of_all_sessions_those_of_one_person_are_forgotten() {
        let (cached, ids) = (Cached::default(), Ids::new(Clock::system()));
        let (ada, bob): (UserId, UserId) = (ids.next(), ids.next());
        let sessions: [SessionId; 3] = [ids.next(), ids.next(), ids.next()];
        for (session, user) in sessions.into_iter().zip([ada, ada, bob]) {
            cached.sessions.insert(session, KnownSession { user, expires_at: DateTime::UNIX_EPOCH });
        }
        cached.forget(&Credential::Session(sessions[0]));
        assert_eq!(sessions.map(|session| cached.sessions.get(&session).is_some()), [false, true, true]);
        cached.forget(&Credential::SessionsOf(ada));
        assert_eq!(sessions.map(|session| cached.sessions.get(&session).is_some()), [false, false, true]);
    }
}
