//! What every use case is handed: the database, the time, identifiers, and the bells of sleepers.

use std::sync::Arc;

use crate::{
    Clock, Db, Ids,
    ports::{Topic, Wake},
};

/// Cloning shares everything in it.
#[derive(Debug, Clone)]
pub struct Core {
    /// Postgres: the only thing that holds anything.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Identifiers and secrets.
    pub ids: Ids,
    /// Hints to sleepers.
    pub wake: Arc<dyn Wake>,
}

impl Core {
    /// Gives sleepers on each topic a hint. After the commit.
    pub fn wake_all(&self, topics: impl IntoIterator<Item = Topic>) {
        for topic in topics {
            self.wake.wake(topic);
        }
    }
}
