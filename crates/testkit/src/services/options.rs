//! The options of the services.

use std::path::PathBuf;

/// The options of the services.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for their data, which stays; without it, temporary folders that are removed at
    /// the end.
    pub data: Option<PathBuf>,
    /// True if Postgres waits for the disk at every commit. Without it commits are faster; they
    /// survive a crash of Postgres, but a power cut loses the database.
    pub fsync: bool,
    /// Starts Valkey beside Postgres.
    pub valkey: bool,
    /// Starts NATS beside Postgres.
    pub nats: bool,
}

impl Options {
    /// Returns the options for tests: temporary, fast, all services.
    pub fn testing() -> Self {
        Self { data: None, fsync: false, valkey: true, nats: true }
    }

    /// Returns the options for development and benchmarks: as durable as production.
    pub fn durable() -> Self {
        Self { fsync: true, ..Self::testing() }
    }
}
