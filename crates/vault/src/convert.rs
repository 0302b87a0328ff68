//! Conversions of values that Postgres stores.

use kernel::error::{Error, Result};
use tlog_tiles::Hash;

/// Returns an index or a size, which Postgres stores as a signed number.
pub(crate) fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(Error::internal)
}

/// Splits bytes into hashes.
pub(crate) fn hashes(bytes: &[u8]) -> Result<Vec<Hash>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(chunks.iter().map(|chunk| Hash(*chunk)).collect())
    } else {
        Err(Error::internal(format!("{} bytes are not a list of hashes", bytes.len())))
    }
}
