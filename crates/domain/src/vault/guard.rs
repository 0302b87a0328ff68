//! The guard against rollback: who restores an older backup has a log that is shorter than what was signed, and would sign another history. So before
//! anything is signed, the meta-log is held against what witnesses know of it; while one of them is ahead, nothing is signed at all.
//!
//! A witness that does not answer keeps nobody from sealing: the guard is against accidents, and Postgres is the only thing this cannot live without.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use std::time::Duration;

use super::{Vault, head, publish::META, tree::Tree};
use crate::{
    db::Caller,
    error::{Code, Error, Result},
    ids::LogId,
    ports::{Witness, WitnessRefused},
};

const UNKNOWN: u8 = 0;
const SOUND: u8 = 1;
const BEHIND: u8 = 2;

/// Whether this process may sign. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Guard(Arc<AtomicU8>);

impl Guard {
    /// Nobody has to be asked.
    pub fn open() -> Self {
        Self(Arc::new(AtomicU8::new(SOUND)))
    }

    /// Nothing is signed until [`Vault::check_rollback`] has asked.
    pub fn closed() -> Self {
        Self(Arc::new(AtomicU8::new(UNKNOWN)))
    }

    /// # Errors
    /// [`Code::LogBehind`]; [`Code::Unavailable`] until it is known.
    pub(super) fn pass(&self) -> Result<()> {
        match self.0.load(Ordering::Acquire) {
            SOUND => Ok(()),
            BEHIND => {
                let detail = "A witness knows the vault at a larger size than the database has it: an older backup was restored. Nothing is signed \
                              until the operator has brought the newer data back";
                Err(Error::new(Code::LogBehind, detail).retry_after(Duration::from_secs(60)))
            }
            _ => Err(Error::unavailable("no witness was asked yet").retry_after(Duration::from_secs(1))),
        }
    }
}

impl Vault {
    /// Asks each of `witnesses` whether it knows the meta-log at a larger size than the database has, and lets the guard pass or not. Returns whether it
    /// does. Asks nobody for more than a cosignature of what it has seen or may see.
    ///
    /// # Errors
    /// Those of the database; the guard stays as it was.
    pub async fn check_rollback(&self, witnesses: &[Arc<dyn Witness>]) -> Result<bool> {
        let mut tx = self.core.db.begin(Caller::Project(META)).await?;
        let head = head::newest(&mut tx, META).await?;
        tx.commit().await?;
        let (size, root) = match head {
            Some(head) => (head.size, head.root),
            None => (0, Tree::default().root()?),
        };
        // Past the guard: this is what opens it, and a witness that is ahead will not have it.
        let note = self.keys.sign(&self.origin(LogId::META), size, root)?;
        let mut behind = false;
        for witness in witnesses {
            match witness.add_checkpoint(size, &[], &note).await {
                Err(WitnessRefused::Behind { size: theirs }) if theirs > size => {
                    tracing::error!(
                        witness = witness.key().name(),
                        theirs,
                        ours = size,
                        "a witness knows the vault's meta-log at a larger size than the database has: an older backup was restored; nothing is signed"
                    );
                    behind = true;
                }
                Err(WitnessRefused::Away(why)) => {
                    tracing::warn!(
                        witness = witness.key().name(),
                        why,
                        "a witness could not be asked whether the vault was rolled back"
                    );
                }
                // Smaller sizes, and what it does not take for other reasons, say nothing of a rollback.
                Ok(_) | Err(_) => {}
            }
        }
        self.guard.0.store(if behind { BEHIND } else { SOUND }, Ordering::Release);
        Ok(!behind)
    }
}
