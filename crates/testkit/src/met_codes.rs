//! The error codes that a run of the tests met. Once all tests are over,
//! `crates/api/tests/api/codes.rs` checks that the document lists them.

use std::{env, fs::OpenOptions, io::Write};

/// The variable that names the file for the codes. If it is unset, nothing is written.
pub const VARIABLE: &str = "HOLDFAST_TEST_CODES";

/// Writes down that `method` of `path` was answered with `problem`, if that is a problem.
///
/// # Panics
/// Panics if the file cannot be written: a check that sees half of the run would pass by luck.
pub fn note(method: &str, path: &str, problem: &[u8]) {
    let Some(file) = env::var_os(VARIABLE).filter(|file| !file.is_empty()) else { return };
    let Ok(serde_json::Value::Object(problem)) = serde_json::from_slice(problem) else { return };
    let Some(code) = problem.get("code").and_then(serde_json::Value::as_str) else { return };
    // One write for each line, so that lines of several processes do not mix.
    let line = format!("{method} {path} {code}\n");
    let written = OpenOptions::new().create(true).append(true).open(&file);
    let written = written.and_then(|mut file| file.write_all(line.as_bytes()));
    assert!(written.is_ok(), "{} cannot be written: {written:?}", file.display());
}
