//! What every job and every periodic task receives.

use std::{sync::Arc, time::Duration};

use domain::{intents::Push, mail::Mailer};
use kernel::{Core, caller::RequestContext};
use url::Url;
use vault::{Vault, Witness};

/// What handlers use. Cloning shares everything in it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Database, time, identifiers, wake-ups.
    pub core: Core,
    /// The logs.
    pub vault: Vault,
    /// Who cosigns the meta-log.
    pub witnesses: Vec<Arc<dyn Witness>>,
    /// Sends deliveries to their recipients' endpoints.
    pub push: Arc<dyn Push>,
    /// Sends mail, where a way is configured.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// The frontend that links in mails lead to.
    pub app_url: Url,
    /// How long a job that was given up is kept for inspection.
    pub dead_job_retention: Duration,
}

/// Which run of a job this is.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The job's id in the `jobs` table.
    pub job: i64,
    /// Which run this is, from 1. Snoozing and a worker's orderly shutdown charge none.
    pub number: u16,
    /// Which run is the last.
    pub last: u16,
    /// The trace of what caused the job, which whatever this run causes joins.
    pub request: RequestContext,
}
