//! The services that every use case gets.

use std::sync::Arc;

use crate::{
    Clock, Db, Ids,
    crypto::Secrets,
    ports::{CredentialCache, NoCredentials, NoWake, Wake},
};

/// The database, the time, identifiers, secrets, and the ports by which others learn what was done.
/// Cloning shares everything in it.
#[derive(Debug, Clone)]
pub struct Core {
    /// Postgres, which holds all state.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Identifiers and randomness.
    pub ids: Ids,
    /// Encrypts what is stored.
    pub secrets: Secrets,
    /// Hints to those who wait.
    pub wake: Arc<dyn Wake>,
    /// Credentials that this replica remembers.
    pub credentials: Arc<dyn CredentialCache>,
}

impl Core {
    /// Creates the core of a process that wakes nobody and remembers no credentials.
    pub fn new(db: Db, clock: Clock, secrets: Secrets) -> Self {
        let ids = Ids::new(clock.clone());
        Self { db, clock, ids, secrets, wake: Arc::new(NoWake), credentials: Arc::new(NoCredentials) }
    }

    /// Sends hints through `wake`.
    #[must_use]
    pub fn with_wake(self, wake: Arc<dyn Wake>) -> Self {
        Self { wake, ..self }
    }

    /// Makes `credentials` forget what is revoked.
    #[must_use]
    pub fn with_credentials(self, credentials: Arc<dyn CredentialCache>) -> Self {
        Self { credentials, ..self }
    }
}
