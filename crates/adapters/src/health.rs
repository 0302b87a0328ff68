//! How the dependencies are: what `/health` and `/health/ready` tell.
//!
//! The guards probe beside the requests; a look at health only reads what they found. A frozen
//! dependency, Postgres included, therefore never makes it slow, and what it says is at most about
//! a second old.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{guard::Guarded, nats::Nats, postgres::Postgres, qdrant::Qdrant, redis::Redis};

/// How one dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It answers.
    Ok,
    /// It is configured and does not answer.
    Error,
    /// It is not configured.
    Disabled,
}

/// What the latest probe of one dependency found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Check {
    /// Whether it answers.
    pub status: Status,
    /// How long a round trip took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What is wrong, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Check {
    pub(crate) fn ok(latency: Duration) -> Self {
        let latency_ms = (latency.as_secs_f64() * 100_000.0).round() / 100.0;
        Self { status: Status::Ok, latency_ms: Some(latency_ms), detail: None }
    }

    pub(crate) fn error(detail: String) -> Self {
        Self { status: Status::Error, latency_ms: None, detail: Some(detail) }
    }

    pub(crate) fn disabled() -> Self {
        Self { status: Status::Disabled, latency_ms: None, detail: None }
    }
}

/// How all of them are at one moment.
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
    /// Whether every migration this build knows has been applied.
    #[serde(skip)]
    pub schema_current: bool,
}

impl Snapshot {
    /// Whether requests can be served: Postgres answers and its schema is current.
    pub fn ready(&self) -> bool {
        self.database.status == Status::Ok && self.schema_current
    }

    /// Whether something that is configured is away.
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
    /// How they are. Returns at once, but for the first quarter of a second of the process.
    pub async fn snapshot(&self) -> Snapshot {
        let (database, redis, nats, qdrant) =
            tokio::join!(self.database.check(), self.redis.check(), self.nats.check(), self.qdrant.check());
        let schema_current = self.schema_current.load(Ordering::Acquire);
        Snapshot { database, redis, nats, qdrant, schema_current }
    }
}
