//! `api vault fsck`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::Context;
use clap::Args;
use kernel::ids::LogId;
use vault::{
    self, Vault,
    fsck::{self, Check, KnownHead, Report},
};

use super::{
    open::{open, require_schema},
    progress::Progress,
    words::{counted, entries, thousands},
};
use crate::{commands::print::print, config::Config};

#[derive(Debug, Args)]
pub(in crate::commands) struct Options {
    /// The log: log_…, or all. When left out, the one that --against names, or all.
    #[arg(long)]
    log: Option<Which>,
    /// A file with a receipt or a signed checkpoint that was kept elsewhere: the log must still
    /// begin with that tree.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    One(LogId),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Which::All),
            id => id.parse().map(Which::One).map_err(|_| "it wants log_… or all".to_owned()),
        }
    }
}

/// Checks, and prints the damage, its place, and what to do about it.
pub(in crate::commands) async fn fsck(config: &Config, options: &Options) -> anyhow::Result<ExitCode> {
    let vault = open(config);
    let core = vault.core.clone();
    let known = options.against.as_deref().map(|file| read(&vault, file)).transpose()?;
    require_schema(&core).await?;
    let all = fsck::logs(&vault).await.context("the logs could not be listed")?;
    let logs = match (options.log, known) {
        (Some(Which::One(log)), Some(known)) if log != known.log => {
            anyhow::bail!("--against is of {}, and --log says {log}", known.log)
        }
        (None, Some(KnownHead { log, .. })) => vec![log],
        (Some(Which::One(log)), known) => {
            // If a log was signed, its absence is worth a report as well.
            anyhow::ensure!(
                known.is_some() || all.contains(&log),
                "there is no {log}, or it never had an entry"
            );
            vec![log]
        }
        (Some(Which::All) | None, _) => all,
    };
    let check =
        Check { witnesses: config.dependencies.vault_witnesses.keys(), against: known.into_iter().collect() };
    let mut reports = Vec::with_capacity(logs.len());
    for log in logs {
        let mut progress = Progress::new(log, options.json);
        let report = Box::pin(fsck::check(&vault, log, &check, |done, size| progress.show(done, size))).await;
        progress.end();
        let report = report.with_context(|| format!("{log} could not be checked"))?;
        if !options.json {
            print_report(&report, known.filter(|_| report.is_clean()));
        }
        reports.push(report);
    }
    let clean = reports.iter().all(Report::is_clean);
    if options.json {
        print(&json(&reports, clean).to_string());
    } else {
        print_summary(&reports);
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(vault: &Vault, file: &Path) -> anyhow::Result<KnownHead> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("--against {} cannot be read", file.display()))?;
    KnownHead::read(vault, &text)
        .with_context(|| format!("--against {} cannot be compared with", file.display()))
}

fn print_report(report: &Report, known: Option<KnownHead>) {
    let name = if report.log == LogId::META { " (the meta-log)" } else { "" };
    let found =
        if report.is_clean() { "nothing is wrong".to_owned() } else { counted(report.count, "finding") };
    print(&format!("{}{name}: {}, {found}", report.log, entries(report.size)));
    if let Some(known) = known {
        print(&format!("  it begins with the signed tree of size {}", thousands(known.size)));
    }
    for finding in &report.findings {
        print(&format!("  - {finding}"));
    }
    let kept = report.findings.len() as u64;
    if report.count > kept {
        print(&format!("  - and {} more like these", thousands(report.count - kept)));
    }
    for note in &report.notes {
        print(&format!("  note: {note}"));
    }
}

fn print_summary(reports: &[Report]) {
    let wrong = reports.iter().filter(|report| !report.is_clean()).count();
    if wrong == 0 {
        print(&format!("{} checked, nothing is wrong", counted(reports.len() as u64, "log")));
        return;
    }
    let checked = counted(reports.len() as u64, "log");
    print(&format!("{checked} checked, something is wrong with {wrong}. What to do:"));
    let about: std::collections::BTreeSet<_> = reports.iter().flat_map(Report::about).collect();
    for about in about {
        print(&format!("  {}", about.advice()));
    }
    print("  docs/operations.md, \"When fsck finds something\", has the steps.");
}

fn json(reports: &[Report], clean: bool) -> serde_json::Value {
    let finding = |finding: &fsck::Finding| {
        let mut json = serde_json::json!(finding);
        json["about"] = serde_json::json!(finding.about());
        json["detail"] = finding.to_string().into();
        json
    };
    let report = |report: &Report| {
        let mut json = serde_json::json!(report);
        json["findings"] = report.findings.iter().map(finding).collect();
        json
    };
    serde_json::json!({"clean": clean, "logs": reports.iter().map(report).collect::<Vec<_>>()})
}
