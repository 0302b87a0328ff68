//! All logs, and the results of their checks.

use chrono::TimeDelta;
use kernel::{Core, DbScope, caller::Caller, error::Result, ids::LogId};

use super::{
    model::{CheckCounts, ProjectRow},
    report::Report,
    store::progress,
};
use crate::{jobs::CheckLog, vault::Vault};

/// The number of logs whose nightly checks begin together, and the time until the next ones follow:
/// all at once would keep other jobs waiting.
const LOGS_AT_A_TIME: usize = 20;
const BETWEEN: TimeDelta = TimeDelta::seconds(10);
/// The most names that the meta-log is asked for at a time.
const NAMES_AT_A_TIME: usize = 1_000;

/// Stores the result of a check, for [`log`](crate::log()) to show.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn save(core: &Core, report: &Report) -> Result<()> {
    let (project, summary) = (report.log.project(), report.summary());
    let write = core.write(Caller::system(DbScope::Job(project)), async |unit| {
        let now = unit.now();
        Ok(progress::save(unit, project, now, report.size, summary.as_deref()).await?)
    });
    write.await
}

/// Returns every log that exists, and every one that the meta-log says existed.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn logs(vault: &Vault) -> Result<Vec<LogId>> {
    let read = vault.core.read(Caller::system(DbScope::Worker), async |tx| {
        let projects = progress::projects(tx).await?;
        let (existing, others): (Vec<ProjectRow>, Vec<ProjectRow>) =
            projects.into_iter().partition(|row| row.has_log);
        let mut logs: Vec<LogId> = existing.into_iter().map(|row| row.project.into()).collect();
        let blinded = |row: ProjectRow| (vault.blinded(row.project.into()), LogId::from(row.project));
        let named: Vec<(String, LogId)> = others.into_iter().map(blinded).collect();
        for named in named.chunks(NAMES_AT_A_TIME) {
            let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
            let gone = progress::published(tx, &names).await?;
            logs.extend(named.iter().filter(|(name, _)| gone.contains(name)).map(|(_, log)| *log));
        }
        Ok(logs)
    });
    let mut logs = read.await?;
    logs.sort_unstable();
    Ok(logs)
}

/// Enqueues a check of every log, a few at a time.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn check_all(vault: &Vault) -> Result<()> {
    let logs = logs(vault).await?;
    let write = vault.core.write(Caller::system(DbScope::Worker), async |unit| {
        let mut run_at = unit.now();
        for logs in logs.chunks(LOGS_AT_A_TIME) {
            for log in logs {
                unit.enqueue_at(&CheckLog { project: log.project() }, run_at)?;
            }
            run_at += BETWEEN;
        }
        Ok(())
    });
    write.await
}

/// Counts the logs by their last checks.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn check_counts(core: &Core) -> Result<CheckCounts> {
    let now = core.clock.now();
    let read = core.read(Caller::system(DbScope::Worker), async |tx| Ok(progress::counts(tx, now).await?));
    read.await
}
