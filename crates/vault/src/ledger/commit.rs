//! The commit of a batch, and the probe of its outcome when the answer got lost.

use std::{ops::Range, time::Duration};

use kernel::{
    DbScope, Unit,
    clock::Timestamp,
    error::{Error, Result},
};

use super::{replay::StoredPointer, signed::Committed};
use crate::{format::tree::Tree, model::Commit, store, vault::Vault};

/// The waits before each attempt to find out how a commit ended whose answer got lost.
const PROBE_WAITS: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1_000),
];

/// A batch that was written, and is yet to be committed.
pub(crate) struct Written<'a> {
    pub(super) vault: &'a Vault,
    pub(super) unit: Unit<'a>,
    pub(super) commit: Commit,
    pub(super) at: Timestamp,
    pub(super) tree: Tree,
}

impl<'a> Written<'a> {
    /// Returns the unit of work, to store responses in.
    pub(crate) fn unit(&mut self) -> &mut Unit<'a> {
        &mut self.unit
    }

    /// Returns the response that is stored for the request that asked for these seals.
    pub(crate) fn pointer(&self, seals: &Range<u64>) -> StoredPointer {
        StoredPointer { first: seals.start, count: seals.end - seals.start, size: self.commit.size }
    }

    /// Commits. When the connection breaks before the answer comes, finds out how the commit ended:
    /// a batch that is not known to be committed is an error, and is never signed.
    ///
    /// # Errors
    /// [`Code::Unavailable`](kernel::Code::Unavailable), and then nobody knows whether it was
    /// committed.
    pub(crate) async fn commit(self) -> Result<Committed> {
        let Self { vault, mut unit, commit, at, tree } = self;
        // A failure up to here is no commit, and there is nothing to find out.
        unit.flush().await?;
        if let Err(lost) = unit.commit().await {
            probe(vault, commit).await.map_err(|()| lost)?;
        }
        Ok(Committed { log: commit.project.into(), at, size: commit.size, root: commit.root, tree })
    }
}

/// Requires that the commit is known to have succeeded.
async fn probe(vault: &Vault, commit: Commit) -> Result<(), ()> {
    for wait in PROBE_WAITS {
        tokio::time::sleep(wait).await;
        match was_committed(vault, commit).await {
            Ok(Some(true)) => return Ok(()),
            Ok(Some(false)) => return Err(()),
            // Its backend has not noticed yet, or Postgres is still away.
            Ok(None) | Err(_) => {}
        }
    }
    Err(())
}

async fn was_committed(vault: &Vault, commit: Commit) -> Result<Option<bool>, Error> {
    let mut tx = vault.core.db.begin(DbScope::Project(commit.project)).await?;
    Ok(store::append::was_committed(&mut tx, commit).await?)
}
