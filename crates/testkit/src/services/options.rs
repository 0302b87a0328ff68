//! How the services run.

use std::path::PathBuf;

/// How to run the services.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where their data lives on; without it, in temporary folders that are removed at the end.
    pub data: Option<PathBuf>,
    /// Postgres waits for the disk at every commit. Off, commits are faster: they survive a crash
    /// of Postgres, but a power cut loses the database.
    pub fsync: bool,
    /// Valkey beside Postgres.
    pub valkey: bool,
    /// NATS beside Postgres.
    pub nats: bool,
}

impl Options {
    /// For tests: temporary, fast, all services.
    pub fn testing() -> Self {
        Self { data: None, fsync: false, valkey: true, nats: true }
    }

    /// For development and benchmarks: as durable as production.
    pub fn durable() -> Self {
        Self { fsync: true, ..Self::testing() }
    }
}
