//! Checking one log.

use kernel::{error::Result, ids::LogId};

use super::{
    known::KnownHead,
    report::Report,
    run::{Run, begin},
    store,
};
use crate::{convert::unsigned, format::cosignature::WitnessKey, vault::Vault};

/// Things that a log is compared with, beside its own entries.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// The witnesses whose cosignatures are verified.
    pub witnesses: Vec<WitnessKey>,
    /// Heads that were signed and kept elsewhere. Those of other logs are ignored.
    pub against: Vec<KnownHead>,
}

/// Checks a log. Calls `progress` repeatedly with the number of checked entries and the number of
/// all.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable), and then nothing is known of the log.
pub async fn check(
    vault: &Vault,
    log: LogId,
    check: &Check,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Report> {
    let project = log.project();
    let mut tx = begin(vault, project).await?;
    let head = store::log::head(&mut tx, project).await?;
    tx.commit().await?;
    let size = head.as_ref().map_or(Ok(0), |head| unsigned(head.size))?;
    let mut run = Run::new(vault, log, &check.witnesses, &check.against, size);
    let mut from = 0;
    while from < size {
        progress(from, size);
        from = run.batch(from).await?;
    }
    progress(size, size);
    run.compare_head(head.as_ref())?;
    run.compare_rest(head.is_some()).await?;
    Ok(run.report)
}
