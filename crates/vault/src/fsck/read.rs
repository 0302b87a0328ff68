//! Reading entries as strictly as a stranger would.

use crate::{format::json, model::Entry};

/// Returns what an entry says.
///
/// # Errors
/// In words, what keeps the bytes from being an entry's.
pub(super) fn read(bytes: &[u8]) -> Result<Entry, String> {
    let value = json::parse(bytes).map_err(|why| why.to_string())?;
    if json::canonical(&value).ok().as_deref() != Some(bytes) {
        return Err("it is not written canonically".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|why| why.to_string())
}
