//! Output for the terminal: progress on standard error, results on standard output.
//!
//! Output that cannot be written is dropped, since a closed terminal is no reason to fail.

use std::io::{self, IsTerminal, Write};

/// Prints a line of progress.
pub fn progress(text: impl AsRef<str>) {
    let text = text.as_ref();
    let line =
        if io::stderr().is_terminal() { format!("\x1b[2m{text}\x1b[0m\n") } else { format!("{text}\n") };
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Prints a warning on standard error.
pub fn warn(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Prints a line on standard output.
pub fn line(text: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", text.as_ref());
    let _ = out.flush();
}

/// Returns whether standard output takes colors.
pub fn coloured() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Prints a line of a program's output, after the program's name.
pub fn program(name: &str, text: &str) {
    if coloured() {
        let colour = if name == "api" { 36 } else { 35 };
        line(format!("\x1b[{colour}m{name:<6} │\x1b[0m {text}"));
    } else {
        line(format!("{name:<6} │ {text}"));
    }
}
