//! The configuration, read from environment variables.

use std::time::Duration;

use adapters::{
    mail::MailSettings,
    settings::{self, Dependencies, Invalid, public_url},
    vault::VaultSettings,
};
use clap::Parser;
use url::Url;

use crate::{engine::Concurrency, timing::Timing};

/// The configuration of `worker`.
#[derive(Debug, Clone, Parser)]
#[command(name = "worker", disable_help_flag = true)]
pub struct Config {
    /// The settings that both programs share.
    #[command(flatten)]
    pub dependencies: Dependencies,

    /// The settings of mail.
    #[command(flatten)]
    pub mail: MailSettings,

    /// The vault and its secrets.
    #[command(flatten)]
    pub vault: VaultSettings,

    /// The URL that clients use. Its host names the vault's logs. http://127.0.0.1:8080 when unset.
    #[arg(long, env = "PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_parser = public_url)]
    pub public_url: Url,

    /// The port of /health/live and /health/ready, on every address, IPv6 and IPv4; 0 for any that
    /// is free.
    #[arg(long, env = "PORT", default_value = "8081")]
    pub port: u16,

    /// The number of quick jobs that run at a time.
    #[arg(
        long,
        env = "WORKER_CONCURRENCY",
        default_value = "16",
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub concurrency: u16,

    /// The number of jobs that call other people's servers and run at a time.
    #[arg(
        long,
        env = "WORKER_EFFECTS_CONCURRENCY",
        default_value = "64",
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub effects_concurrency: u16,

    /// The number of days that a dead job is kept for inspection.
    #[arg(
        long,
        env = "DEAD_JOB_RETENTION_DAYS",
        default_value = "14",
        value_parser = clap::value_parser!(u16).range(1..=365)
    )]
    pub dead_job_retention_days: u16,

    /// Push deliveries to loopback and private addresses as well. For development.
    #[arg(long, env = "PUSH_ALLOW_PRIVATE", default_value = "false", action = clap::ArgAction::Set)]
    pub push_allow_private: bool,

    /// The worker's intervals; tests shorten them.
    #[arg(skip)]
    pub timing: Timing,
}

impl Config {
    /// Reads the configuration from these variables only.
    ///
    /// # Errors
    /// Fails on the first variable that is missing or wrong.
    pub fn from_pairs(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Invalid> {
        settings::parse(variables)
    }

    pub(crate) fn concurrency(&self) -> Concurrency {
        Concurrency { default: self.concurrency.into(), effects: self.effects_concurrency.into() }
    }

    pub(crate) fn dead_job_retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.dead_job_retention_days) * 24 * 3600)
    }
}
