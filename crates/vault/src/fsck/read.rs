//! Strict reading of entries, as a stranger would read them.

use crate::{format::json, model::Entry};

/// Returns the content of an entry.
///
/// # Errors
/// A sentence, with the reason why the bytes are not those of an entry.
pub(super) fn read(bytes: &[u8]) -> Result<Entry, String> {
    let value = json::parse(bytes).map_err(|why| why.to_string())?;
    if json::canonical(&value).ok().as_deref() != Some(bytes) {
        return Err("it is not written canonically".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|why| why.to_string())
}
