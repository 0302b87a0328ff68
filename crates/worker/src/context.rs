//! The context that every job and every periodic task receives.

use std::{sync::Arc, time::Duration};

use domain::{intents::Push, mail::Mailer};
use kernel::{Core, caller::RequestContext};
use url::Url;
use vault::{Vault, Witness};

/// The dependencies of handlers. Cloning shares everything in it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Database, time, identifiers, wake-ups.
    pub core: Core,
    /// The logs.
    pub vault: Vault,
    /// The witnesses that cosign the meta-log.
    pub witnesses: Vec<Arc<dyn Witness>>,
    /// Sends deliveries to their recipients' endpoints.
    pub push: Arc<dyn Push>,
    /// Sends mail, if SMTP or Resend is configured.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// The frontend that links in mails lead to.
    pub app_url: Url,
    /// The time that a dead job is kept for inspection.
    pub dead_job_retention: Duration,
}

/// One run of a job.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The job's id in the `jobs` table.
    pub job: i64,
    /// The number of this run, from 1. Snoozing and an orderly shutdown of the worker do not count.
    pub number: u16,
    /// The number of the last run.
    pub last: u16,
    /// The trace of the request that caused the job. Everything that this run causes joins it.
    pub request: RequestContext,
}
