//! Digests of a subject before and after a change.

use serde::Serialize;

use crate::{
    crypto::sha256,
    error::{Error, Result},
};

/// SHA-256 over the JSON that the wire shows of a subject, before and after: a copy of either can
/// be compared with the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    pub(crate) before: Option<[u8; 32]>,
    pub(crate) after: Option<[u8; 32]>,
}

impl Change {
    /// Nothing that is shown changed.
    pub const NONE: Self = Self { before: None, after: None };

    /// Returns the change of a subject that is new.
    ///
    /// # Errors
    /// `Internal` when it cannot be written as JSON.
    pub fn created<T: Serialize>(after: &T) -> Result<Self> {
        Ok(Self { before: None, after: Some(digest(after)?) })
    }

    /// Returns the change of a subject that is another than before.
    ///
    /// # Errors
    /// As [`Change::created`].
    pub fn updated<T: Serialize>(before: &T, after: &T) -> Result<Self> {
        Ok(Self { before: Some(digest(before)?), after: Some(digest(after)?) })
    }

    /// Returns the change of a subject that was removed.
    ///
    /// # Errors
    /// As [`Change::created`].
    pub fn removed<T: Serialize>(before: &T) -> Result<Self> {
        Ok(Self { before: Some(digest(before)?), after: None })
    }
}

fn digest<T: Serialize>(subject: &T) -> Result<[u8; 32]> {
    Ok(sha256(&serde_json::to_vec(subject).map_err(Error::internal)?))
}
