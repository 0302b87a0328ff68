//! The services that a command starts.

use std::path::PathBuf;

use clap::Args;
use testkit::services::Options;

/// The services to start, and the place of their data.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ServiceArgs {
    /// Keep the data and the API key in this folder, and use them again next time. Without it, they
    /// are temporary.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Start neither Valkey nor NATS: Holdfast works without them.
    #[arg(long)]
    only_postgres: bool,
}

impl ServiceArgs {
    pub(super) fn options(&self) -> Options {
        let accelerators = !self.only_postgres;
        Options { data: self.data.clone(), valkey: accelerators, nats: accelerators, ..Options::durable() }
    }
}
