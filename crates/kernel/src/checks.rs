//! Rules for values from outside, gathered so that a caller hears of every broken one at once.

use std::ops::RangeInclusive;

use crate::error::{Code, Error, FieldError, Result, field_error};

/// Gathers the fields that break a rule.
#[derive(Debug, Default)]
pub struct Checks {
    broken: Vec<FieldError>,
}

impl Checks {
    /// No rule broken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a broken rule.
    pub fn broken(&mut self, code: Code, pointer: impl Into<String>, detail: impl Into<String>) {
        self.broken.push(field_error(code, pointer, detail));
    }

    /// Text of `chars` Unicode scalar values, without NUL, which Postgres cannot hold.
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

    /// [`Checks::text`] of one line: without control characters, so that it can stand in a mail or a log.
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

    /// [`Checks::text`], where there is a text.
    pub fn optional_text(&mut self, pointer: &str, text: Option<&str>, chars: RangeInclusive<usize>) {
        if let Some(text) = text {
            self.text(pointer, text, chars);
        }
    }

    /// At most `max` entries.
    pub fn count(&mut self, pointer: &str, count: usize, max: usize) {
        if count > max {
            self.broken(Code::TooLong, pointer, format!("may have at most {max} entries, has {count}"));
        }
    }

    /// Keeps the value of `result`, or notes its error under `pointer`.
    pub fn keep<T>(&mut self, pointer: &str, code: Code, result: Result<T, impl ToString>) -> Option<T> {
        result.map_err(|error| self.broken(code, pointer, error.to_string())).ok()
    }

    /// # Errors
    /// All broken rules in one, under the code of the first.
    pub fn finish(self) -> Result<()> {
        match self.broken.first() {
            Some(first) => Err(Error::fields(first.code, self.broken)),
            None => Ok(()),
        }
    }
}
