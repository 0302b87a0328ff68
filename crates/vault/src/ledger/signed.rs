//! Signatures on committed batches, and proofs of their seals.

use std::{ops::Range, sync::Arc};

use kernel::{
    clock::Timestamp,
    error::{Error, Result},
    ids::LogId,
};
use tlog_tiles::Hash;

use crate::{
    format::tree::Tree,
    model::{Appended, ProvedSeal},
    vault::Vault,
};

/// A batch that is committed.
pub(crate) struct Committed {
    pub(super) log: LogId,
    pub(super) at: Timestamp,
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) tree: Tree,
}

/// A batch that is committed, with the signed checkpoint of the log as it left it.
pub(crate) struct Signed {
    committed: Committed,
    checkpoint: Arc<str>,
}

impl Committed {
    /// Signs the checkpoint.
    ///
    /// # Errors
    /// [`Code::LogBehind`](kernel::Code::LogBehind).
    pub(crate) fn sign(self, vault: &Vault) -> Result<Signed> {
        let checkpoint = vault.sign(self.log, self.size, self.root)?.into();
        Ok(Signed { committed: self, checkpoint })
    }
}

impl Signed {
    /// Proves seals of the batch.
    ///
    /// # Errors
    /// `Internal` for seals that are not of the batch.
    pub(crate) fn prove(&self, seals: Range<u64>) -> Result<Appended> {
        let Committed { log, at, size, tree, .. } = &self.committed;
        let prove = |index| {
            let leaf = tree.node((0, index)).ok_or_else(|| Error::internal("a leaf is missing"))?;
            Ok(ProvedSeal { index, leaf, proof: tree.prove(index)? })
        };
        let seals = seals.map(prove).collect::<Result<_>>()?;
        Ok(Appended { log: *log, at: *at, size: *size, checkpoint: Arc::clone(&self.checkpoint), seals })
    }
}
