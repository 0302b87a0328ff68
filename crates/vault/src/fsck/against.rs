//! A checkpoint that somebody kept elsewhere. Whoever can write to the database can rebuild a log's tail with everything beside it; what was signed
//! before and is kept out of their reach shows it.

use tlog_tiles::Hash;

use super::super::{
    Vault,
    receipt::{self, Flaw, Receipt},
};
use kernel::ids::LogId;

/// What a log was, by our own signature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Which log.
    pub log: LogId,
    /// How many entries it had.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

/// Why a text says nothing of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKnown {
    /// Nothing is signed there.
    #[error("it is neither a receipt nor a signed checkpoint")]
    Form,
    /// Another log's, or of another deployment.
    #[error("it is of the log `{0}`, which is none of ours: is PUBLIC_URL what it was when that was signed?")]
    Foreign(String),
    /// It does not hold by itself.
    #[error("it does not verify by itself: {0}; after a rotation, VAULT_SIGNING_KEY may lack the key of then")]
    Flaw(Flaw),
}

impl Known {
    /// Reads a receipt or a signed checkpoint of one of our logs, and verifies it under the keys that sign now.
    ///
    /// # Errors
    /// Why it cannot be compared with.
    pub fn read(vault: &Vault, text: &str) -> Result<Self, NotKnown> {
        let receipt = Receipt::parse(text).ok();
        let checkpoint = receipt.as_ref().map_or(text, |receipt| &receipt.checkpoint);
        let origin = checkpoint.lines().next().filter(|line| !line.is_empty()).ok_or(NotKnown::Form)?;
        if !checkpoint.contains("\n\n") {
            return Err(NotKnown::Form);
        }
        let log = vault.log_called(origin).ok_or_else(|| NotKnown::Foreign(kernel::text::excerpt(origin, 200)))?;
        let trusted = vault.verifiers(log);
        if let Some(receipt) = receipt.as_ref().filter(|receipt| receipt.entry.is_some()) {
            receipt.verify(origin, &trusted).map_err(NotKnown::Flaw)?;
        }
        let (size, root) = receipt::signed(checkpoint, origin, &trusted).map_err(NotKnown::Flaw)?;
        Ok(Self { log, size, root })
    }
}
