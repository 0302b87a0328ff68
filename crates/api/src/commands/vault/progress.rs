//! The progress of a check.

use std::io::{IsTerminal, Write};

use kernel::ids::LogId;

use super::words::{entries, thousands};
use crate::commands::print::print_aside;

/// The size from which a check shows its progress; a smaller log is checked before anybody wonders.
const LONG: u64 = 100_000;

/// Shows the progress in a log: on a terminal as one line that changes, elsewhere as a line for
/// each tenth of a long log. Shows nothing to a program that reads JSON.
pub(super) struct Progress {
    log: LogId,
    quiet: bool,
    terminal: bool,
    shown: Option<u64>,
}

impl Progress {
    pub(super) fn new(log: LogId, quiet: bool) -> Self {
        Self { log, quiet, terminal: std::io::stderr().is_terminal(), shown: None }
    }

    pub(super) fn show(&mut self, done: u64, size: u64) {
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
            // Nobody is left to read it.
            let _ = write!(to, "\r\x1b[K{line}").and_then(|()| to.flush());
        } else {
            print_aside(&line);
        }
    }

    /// Clears the line for what follows.
    pub(super) fn end(&self) {
        if self.terminal && !self.quiet {
            let mut to = std::io::stderr();
            let _ = write!(to, "\r\x1b[K").and_then(|()| to.flush());
        }
    }
}
