//! Versions of resources that can be edited, so that nobody overwrites a change they have not seen.

use crate::error::{Code, Error, Result};

/// The version that a change was made from. Versions start at 1 and grow by one with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whichever there is.
    Any,
    /// This version.
    Version(i32),
}

impl Expected {
    /// # Errors
    /// [`Code::VersionMismatch`] when the present version is another.
    pub fn check(self, stands: i32) -> Result<()> {
        match self {
            Expected::Version(expected) if expected != stands => {
                let detail = "It was changed since the version that `If-Match` names; get it anew, and make \
                    the change to that";
                Err(Error::new(Code::VersionMismatch, detail))
            }
            Expected::Any | Expected::Version(_) => Ok(()),
        }
    }
}
