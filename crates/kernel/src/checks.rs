//! Rules for values from outside, gathered so that a caller learns of all broken ones at once.

use std::ops::RangeInclusive;

use crate::error::{Code, Error, FieldError, Result, field_error};

/// The codes of [`Checks::text`].
pub const TEXT_ERRORS: &[Code] = &[Code::TooLong, Code::TooShort, Code::NulByte];
/// The codes of [`Checks::line`].
pub const LINE_ERRORS: &[Code] = &[Code::TooLong, Code::TooShort, Code::NulByte, Code::ControlCharacter];

/// Gathers the fields that break a rule.
#[derive(Debug, Default)]
pub struct Checks {
    broken: Vec<FieldError>,
}

impl Checks {
    /// Starts with no rule broken.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a broken rule.
    pub fn broken(&mut self, code: Code, pointer: impl Into<String>, detail: impl Into<String>) {
        self.broken.push(field_error(code, pointer, detail));
    }

    /// Checks text of `chars` Unicode scalar values, without NUL, which Postgres cannot hold.
    pub fn text(&mut self, pointer: &str, text: &str, chars: RangeInclusive<usize>) {
        if text.contains('\0') {
            self.broken(Code::NulByte, pointer, "must not contain a NUL byte (U+0000)");
            return;
        }
        let count = text.chars().count();
        if count > *chars.end() {
            let detail = format!("may have at most {} characters, has {count}", chars.end());
            self.broken(Code::TooLong, pointer, detail);
        } else if count < *chars.start() {
            let noun = if *chars.start() == 1 { "character" } else { "characters" };
            let detail = format!("needs at least {} {noun}, has {count}", chars.start());
            self.broken(Code::TooShort, pointer, detail);
        }
    }

    /// Checks text of one line: without control characters, so that it can stand in a mail or a
    /// log.
    pub fn line(&mut self, pointer: &str, text: &str, chars: RangeInclusive<usize>) {
        match text.chars().find(|c| c.is_control() && *c != '\0') {
            Some(c) => self.broken(
                Code::ControlCharacter,
                pointer,
                format!("must be one line, without control characters such as U+{:04X}", u32::from(c)),
            ),
            None => self.text(pointer, text, chars),
        }
    }

    /// Checks text, where there is some.
    pub fn optional_text(&mut self, pointer: &str, text: Option<&str>, chars: RangeInclusive<usize>) {
        if let Some(text) = text {
            self.text(pointer, text, chars);
        }
    }

    /// Checks a line, where there is one.
    pub fn optional_line(&mut self, pointer: &str, text: Option<&String>, chars: RangeInclusive<usize>) {
        if let Some(text) = text {
            self.line(pointer, text, chars);
        }
    }

    /// Checks that there are at most `max` entries.
    pub fn count(&mut self, pointer: &str, count: usize, max: usize) {
        if count > max {
            self.broken(Code::TooLong, pointer, format!("may have at most {max} entries, has {count}"));
        }
    }

    /// Keeps the value of `result`, or notes its error under `pointer`.
    pub fn keep<T>(&mut self, pointer: &str, code: Code, result: Result<T, impl ToString>) -> Option<T> {
        result.map_err(|error| self.broken(code, pointer, error.to_string())).ok()
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// All broken rules in one, under the code of the first.
    pub fn finish(self) -> Result<()> {
        match self.broken.first() {
            Some(first) => Err(Error::fields(first.code, self.broken)),
            None => Ok(()),
        }
    }
}
