//! Replays of answers that were given before.

use kernel::{
    DbScope,
    caller::Caller,
    error::{Error, Result},
    ids::ProjectId,
};
use serde::{Deserialize, Serialize};

use crate::{model::Appended, prove::prove_seals, store, vault::Vault};

/// The stored response to a request with an `Idempotency-Key`: the place of its seals. The response
/// itself is signed after the commit, so it cannot be part of it; it is proved anew.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StoredPointer {
    /// The first seal.
    pub(crate) first: u64,
    /// The number of seals.
    pub(crate) count: u64,
    /// The size of the tree that they were proved in.
    pub(crate) size: u64,
}

impl StoredPointer {
    /// Returns the bytes that are stored.
    pub(crate) fn to_stored(self) -> Result<Vec<u8>> {
        serde_json::to_vec(&self).map_err(Error::internal)
    }

    /// Reads the bytes that [`StoredPointer::to_stored`] wrote.
    pub(crate) fn from_stored(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(Error::internal)
    }
}

/// Proves the seals of an earlier request anew. The answer is the same to the byte, since trees
/// only grow and signatures are deterministic.
///
/// # Errors
/// [`Code::LogBehind`](kernel::Code::LogBehind), [`Code::Unavailable`](kernel::Code::Unavailable).
pub(crate) async fn prove_again(
    vault: &Vault,
    project: ProjectId,
    pointer: StoredPointer,
) -> Result<Appended> {
    let system = Caller::system(DbScope::Project(project));
    let (head, seals) = vault
        .core
        .read(system, async |tx| {
            let head = store::heads::at_size(tx, project, pointer.size).await?;
            let indexes = pointer.first..pointer.first + pointer.count;
            Ok((head, prove_seals(tx, project, head.size, indexes).await?))
        })
        .await?;
    let checkpoint = vault.sign(project.into(), head.size, head.root)?.into();
    Ok(Appended { log: project.into(), at: head.at, size: head.size, checkpoint, seals })
}
