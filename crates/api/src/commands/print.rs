//! The output of commands. Standard output and error are this program's answers, not its logs.

use std::io::Write;

use adapters::telemetry;

/// Prints a line.
pub(super) fn print(line: &str) {
    // Nobody is left to read it.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line to standard error.
pub(super) fn print_aside(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints the reason for which the program ends, in one line.
pub(super) fn print_error(error: &anyhow::Error) {
    let line = format!("{error:#}").replace('\n', " ");
    print_aside(&format!("api: {}", telemetry::redact(&line)));
}
