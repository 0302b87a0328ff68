//! The state of the dependencies, as `/health` and `/health/ready` tell it.
//!
//! The guards probe beside the requests; a look at health only reads what they found. A frozen
//! dependency, Postgres included, therefore never makes it slow, and what it says is at most about
//! a second old.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::Serialize;
use utoipa::ToSchema;

pub use crate::guard::{Check, Status};
use crate::{guard::Guarded, nats::Nats, postgres::Postgres, qdrant::Qdrant, redis::Redis};

/// The state of all of them at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Snapshot {
    /// Postgres: the only one that is needed.
    pub database: Check,
    /// Shared counters.
    pub redis: Check,
    /// Wake-ups between processes.
    pub nats: Check,
    /// The vector index.
    pub qdrant: Check,
    /// True if every migration that this build knows has been applied.
    #[serde(skip)]
    pub schema_current: bool,
}

impl Snapshot {
    /// Returns whether requests can be served: Postgres answers and its schema is current.
    pub fn ready(&self) -> bool {
        self.database.status == Status::Ok && self.schema_current
    }

    /// Returns whether something that is configured is away.
    pub fn degraded(&self) -> bool {
        [&self.database, &self.redis, &self.nats, &self.qdrant]
            .iter()
            .any(|check| check.status == Status::Error)
    }
}

/// Knows how the dependencies are. Cloning shares what it knows.
#[derive(Debug, Clone)]
pub struct Health {
    pub(crate) database: Guarded<Postgres>,
    pub(crate) redis: Guarded<Redis>,
    pub(crate) nats: Guarded<Nats>,
    pub(crate) qdrant: Guarded<Qdrant>,
    pub(crate) schema_current: Arc<AtomicBool>,
}

impl Health {
    /// Returns their state: at once, but for the first quarter of a second of the process.
    pub async fn snapshot(&self) -> Snapshot {
        let (database, redis, nats, qdrant) =
            tokio::join!(self.database.check(), self.redis.check(), self.nats.check(), self.qdrant.check());
        let schema_current = self.schema_current.load(Ordering::Acquire);
        Snapshot { database, redis, nats, qdrant, schema_current }
    }
}
