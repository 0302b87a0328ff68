//! Checkpoints that were kept elsewhere. An attacker who can write to the database can rebuild the
//! end of a log and everything beside it; a checkpoint that was signed before, and is kept out of
//! their reach, shows it.

use kernel::{ids::LogId, text::excerpt};
use tlog_tiles::Hash;

use crate::{
    format::receipt::{Flaw, Receipt, SignedHead, verify_checkpoint},
    vault::Vault,
};

/// A head of a log that our own signature proves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownHead {
    /// The log.
    pub log: LogId,
    /// The number of entries that it had.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

/// The reason why some text proves no head of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAKnownHead {
    /// Nothing in it is signed.
    #[error("it is neither a receipt nor a signed checkpoint")]
    Form,
    /// It belongs to another log, or another deployment.
    #[error(
        "it belongs to the log `{0}`, which is not one of ours: was PUBLIC_URL the same when it was signed?"
    )]
    Foreign(String),
    /// It does not hold by itself.
    #[error(
        "it does not verify by itself: {0}; \
         after a rotation, VAULT_SIGNING_KEY may lack the key that signed it"
    )]
    Flaw(Flaw),
}

impl KnownHead {
    /// Reads a receipt or a signed checkpoint of one of our logs, and verifies it under the keys
    /// that sign now.
    /// [`NotAKnownHead`], with the reason why a log cannot be compared with it.
    /// # Errors
    /// [`NotAKnownHead`] says why a log cannot be compared with it.
    pub fn read(vault: &Vault, text: &str) -> Result<Self, NotAKnownHead> {
        let receipt = Receipt::parse(text).ok();
        let checkpoint = receipt.as_ref().map_or(text, |receipt| &receipt.checkpoint);
        let origin = checkpoint.lines().next().filter(|line| !line.is_empty());
        let origin = origin.ok_or(NotAKnownHead::Form)?;
        if !checkpoint.contains("\n\n") {
            return Err(NotAKnownHead::Form);
        }
        let foreign = || NotAKnownHead::Foreign(excerpt(origin, 200));
        let log = vault.log_called(origin).ok_or_else(foreign)?;
        let trusted = vault.verifiers(log);
        if let Some(receipt) = receipt.as_ref().filter(|receipt| receipt.entry.is_some()) {
            receipt.verify(origin, &trusted).map_err(NotAKnownHead::Flaw)?;
        }
        let head = verify_checkpoint(checkpoint, origin, &trusted).map_err(NotAKnownHead::Flaw)?;
        let SignedHead { size, root } = head;
        Ok(Self { log, size, root })
    }
}
