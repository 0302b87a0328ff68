//! `api vault`.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
    sync::Arc,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use kernel::{Clock, Core, Ids, ids::LogId, schema};
use vault::{
    self, Rewrapped, Vault,
    fsck::{self, Check, Known, Report},
};

use crate::config::Config;

/// What was asked for could not be done: nothing is known.
pub(super) const NOT_DONE: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum VaultCommand {
    /// Make logs anew from their entries and compare with all that is kept of them. Exits with 0 when nothing is wrong, 1 when something is, 2 when
    /// that could not be found out. Changes nothing; appends go on meanwhile.
    Fsck(Fsck),
    /// Wrap the keys of personal data under the first key of VAULT_KEK, so that an older one can be retired. May be stopped and begun again. Exits with 0
    /// when no key is left under an older one, 1 when some are, 2 when that could not be found out.
    Rewrap,
}

#[derive(Debug, Args)]
pub(super) struct Fsck {
    /// Which log: log_…, or all. The one that --against names, or all, when left out.
    #[arg(long)]
    log: Option<Which>,
    /// A file with a receipt or a signed checkpoint that was kept elsewhere: the log must still begin with that tree.
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

/// Checks, and tells what is wrong, where, and what to do.
pub(super) async fn fsck(config: &Config, asked: &Fsck) -> anyhow::Result<ExitCode> {
    let vault = open(config);
    let core = vault.core.clone();
    let known = asked.against.as_deref().map(|file| read(&vault, file)).transpose()?;
    current(&core).await?;
    let all = fsck::logs(&vault).await.context("the logs could not be listed")?;
    let logs = match (asked.log, known) {
        (Some(Which::One(log)), Some(known)) if log != known.log => {
            anyhow::bail!("--against is of {}, and --log says {log}", known.log)
        }
        (None, Some(Known { log, .. })) => vec![log],
        (Some(Which::One(log)), known) => {
            // Of a log that was signed, also nothing is something to report.
            anyhow::ensure!(known.is_some() || all.contains(&log), "there is no {log}, or it never had an entry");
            vec![log]
        }
        (Some(Which::All) | None, _) => all,
    };
    let check = Check { witnesses: config.dependencies.vault_witnesses.keys(), against: known.into_iter().collect() };
    let mut reports = Vec::with_capacity(logs.len());
    for log in logs {
        let mut progress = Progress::new(log, asked.json);
        let report = Box::pin(fsck::check(&vault, log, &check, |done, size| progress.show(done, size))).await;
        progress.end();
        let report = report.with_context(|| format!("{log} could not be checked"))?;
        if !asked.json {
            tell(&report, known.filter(|_| report.is_clean()));
        }
        reports.push(report);
    }
    let clean = reports.iter().all(Report::is_clean);
    if asked.json {
        super::tell(&mut std::io::stdout(), &json(&reports, clean).to_string());
    } else {
        conclude(&reports);
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(config: &Config) -> Vault {
    let clock = Clock::system();
    let core = Core {
        db: config.dependencies.database(),
        ids: Ids::new(clock.clone()),
        clock,
        wake: Arc::new(kernel::ports::NoWake),
    };
    config.vault.vault(core, &config.public_url(), &config.dependencies.vault_witnesses)
}

/// Wraps keys anew, and tells how many are left.
pub(super) async fn rewrap(config: &Config) -> anyhow::Result<ExitCode> {
    let vault = open(config);
    current(&vault.core).await?;
    let told = |done: &Rewrapped| {
        let line = format!("{} keys looked at, {} wrapped anew", thousands(done.seen), thousands(done.moved));
        super::tell(&mut std::io::stderr(), &line);
    };
    let done = vault::rewrap(&vault, told).await.context("not all keys could be looked at; run it again")?;
    let to = &mut std::io::stdout();
    let (seen, moved, left) = (thousands(done.seen), thousands(done.moved), thousands(done.left()));
    super::tell(
        to,
        &format!("{seen} keys, {moved} wrapped anew, {left} left under another key than the first of VAULT_KEK"),
    );
    if done.missed > 0 {
        super::tell(to, &format!("  {} changed meanwhile; run it again", thousands(done.missed)));
    }
    if done.shut > 0 {
        super::tell(
            to,
            &format!("  {} open under no key of VAULT_KEK: put the older keys behind the first", thousands(done.shut)),
        );
    }
    Ok(if done.left() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(vault: &Vault, file: &Path) -> anyhow::Result<Known> {
    let text = std::fs::read_to_string(file).with_context(|| format!("--against {} cannot be read", file.display()))?;
    Known::read(vault, &text).with_context(|| format!("--against {} cannot be compared with", file.display()))
}

/// On an older schema nothing could be said of the logs but that they are not there.
async fn current(core: &Core) -> anyhow::Result<()> {
    let mut connection = core.db.pool().acquire().await.context("DATABASE_URL: Postgres does not answer")?;
    let due = schema::missing(&mut connection).await?;
    anyhow::ensure!(due == 0, "the database lacks {due} migrations; run `api migrate`");
    Ok(())
}

fn tell(report: &Report, known: Option<Known>) {
    let to = &mut std::io::stdout();
    let name = if report.log == LogId::META { " (the meta-log)" } else { "" };
    let found = if report.is_clean() { "nothing is wrong".to_owned() } else { counted(report.count, "finding") };
    super::tell(to, &format!("{}{name}: {}, {found}", report.log, entries(report.size)));
    if let Some(known) = known {
        super::tell(to, &format!("  it begins with the signed tree of size {}", thousands(known.size)));
    }
    for finding in &report.findings {
        super::tell(to, &format!("  - {finding}"));
    }
    let kept = report.findings.len() as u64;
    if report.count > kept {
        super::tell(to, &format!("  - and {} more like these", thousands(report.count - kept)));
    }
    for note in &report.notes {
        super::tell(to, &format!("  note: {note}"));
    }
}

fn conclude(reports: &[Report]) {
    let to = &mut std::io::stdout();
    let wrong = reports.iter().filter(|report| !report.is_clean()).count();
    if wrong == 0 {
        super::tell(to, &format!("{} checked, nothing is wrong", counted(reports.len() as u64, "log")));
        return;
    }
    let checked = counted(reports.len() as u64, "log");
    super::tell(to, &format!("{checked} checked, something is wrong with {wrong}. What to do:"));
    let about: std::collections::BTreeSet<_> = reports.iter().flat_map(Report::about).collect();
    for about in about {
        super::tell(to, &format!("  {}", about.advice()));
    }
    super::tell(to, "  docs/operations.md, \"When fsck finds something\", has the steps.");
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

/// A log below this is checked before anybody wonders.
const LONG: u64 = 100_000;

/// How far a log is: on a terminal one line that changes, elsewhere a line for each tenth of a long one. Nothing for a program that reads JSON.
struct Progress {
    log: LogId,
    quiet: bool,
    terminal: bool,
    shown: Option<u64>,
}

impl Progress {
    fn new(log: LogId, quiet: bool) -> Self {
        Self { log, quiet, terminal: std::io::stderr().is_terminal(), shown: None }
    }

    fn show(&mut self, done: u64, size: u64) {
        if self.quiet || !self.terminal && size < LONG {
            return;
        }
        let percent = (u128::from(done) * 100).checked_div(u128::from(size)).unwrap_or(100);
        let percent = u64::try_from(percent).unwrap_or(100);
        let step = if self.terminal { percent } else { percent / 10 };
        if self.shown.replace(step) == Some(step) {
            return;
        }
        let line = format!("{} {percent}% {} of {}", self.log, thousands(done), entries(size));
        let mut to = std::io::stderr();
        if self.terminal {
            // Whoever would read it is gone.
            let _ = write!(to, "\r\x1b[K{line}").and_then(|()| to.flush());
        } else {
            super::tell(&mut to, &line);
        }
    }

    /// Leaves the line to what comes after it.
    fn end(&self) {
        if self.terminal && !self.quiet {
            let mut to = std::io::stderr();
            let _ = write!(to, "\r\x1b[K").and_then(|()| to.flush());
        }
    }
}

fn entries(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "entry" } else { "entries" })
}

fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// A number as people read it: `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let read = [0, 999, 1_000, 123_456, 1_234_567].map(thousands);
        assert_eq!(read, ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!(
            [entries(1), entries(2_000), counted(1, "log"), counted(0, "log")],
            ["1 entry", "2,000 entries", "1 log", "0 logs"]
        );
    }
}
