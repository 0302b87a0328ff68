//! The guard against rollback: who restores an older backup has a log that is shorter than what was signed, and would sign another history. So before
//! anything is signed, the meta-log is held against what witnesses know of it; while one of them has seen more, or something else, nothing is signed at all.
//!
//! A witness that does not answer keeps nobody from sealing: the guard is against accidents, and Postgres is the only thing this cannot live without.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use std::time::Duration;

use futures::future::join_all;

use super::{
    Vault,
    cosign::{Answer, ask},
};
use crate::Witness;
use kernel::error::{Code, Error, Result};

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
            BEHIND => Err(behind()),
            _ => Err(Error::unavailable("no witness was asked yet").retry_after(Duration::from_secs(1))),
        }
    }

    /// Nothing is signed from here on. Returns the error that says so.
    pub(super) fn found_behind(&self, witness: &str, why: &str) -> Error {
        self.0.store(BEHIND, Ordering::Release);
        tracing::error!(
            witness,
            why,
            "a witness has seen what the database does not have of the vault's meta-log: an older backup was restored, or it was changed; nothing is signed; \
             docs/operations.md says what to do"
        );
        behind()
    }
}

fn behind() -> Error {
    let detail = "A witness has seen more of the vault than the database has, or something else: an older backup was restored, or the log was changed. Nothing \
                  is signed until the operator has brought the newer data back";
    Error::new(Code::LogBehind, detail).retry_after(Duration::from_secs(60))
}

impl Vault {
    /// Asks all of `witnesses` at once whether they have seen of the meta-log what the database does not have, and lets the guard pass or not. Each is waited for as
    /// long as `patience`; one that is away does not close the guard, and does not open one that was closed. Returns those that answered.
    ///
    /// # Errors
    /// [`Code::LogBehind`]; those of the database, and then the guard stays as it was.
    pub async fn check_rollback(
        &self,
        witnesses: &[Arc<dyn Witness>],
        patience: Duration,
    ) -> Result<Vec<Arc<dyn Witness>>> {
        let asked = join_all(witnesses.iter().map(|witness| ask(self, witness.as_ref(), None, patience))).await;
        let (mut reached, mut ahead, mut failed) = (Vec::new(), None, None);
        for (witness, answer) in witnesses.iter().zip(asked) {
            let name = witness.key().name();
            match answer {
                Ok(Answer::Ahead(why)) => ahead = Some(self.guard.found_behind(name, &why)),
                Ok(Answer::Away(why)) => {
                    tracing::warn!(
                        witness = name,
                        why,
                        "a witness could not be asked whether the vault was rolled back"
                    );
                }
                // What it does not take for other reasons says nothing of a rollback.
                Ok(Answer::Cosigned(..) | Answer::Refused(_)) => reached.push(Arc::clone(witness)),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = ahead.or(failed) {
            return Err(error);
        }
        if reached.len() < witnesses.len() && self.guard.0.load(Ordering::Acquire) == BEHIND {
            return Err(behind());
        }
        self.guard.0.store(SOUND, Ordering::Release);
        Ok(reached)
    }
}
