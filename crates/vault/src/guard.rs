//! The guard against rollback, which decides whether this process may sign.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use std::time::Duration;

use kernel::error::{Error, Result};

use crate::errors::log_behind;

const UNKNOWN: u8 = 0;
const SOUND: u8 = 1;
const BEHIND: u8 = 2;

/// Lets this process sign or not. Cloning shares it.
///
/// A restored older backup has a log that is shorter than the one that was signed, and would sign
/// another history. So the meta-log is compared with the witnesses' knowledge of it before anything
/// is signed; while one of them has seen more, or something else, nothing is signed at all.
#[derive(Debug, Clone)]
pub(crate) struct Guard(Arc<AtomicU8>);

impl Guard {
    /// Creates a guard that lets everything pass, because there are no witnesses.
    pub(crate) fn open() -> Self {
        Self(Arc::new(AtomicU8::new(SOUND)))
    }

    /// Creates a guard that lets nothing pass before the witnesses were asked.
    pub(crate) fn closed() -> Self {
        Self(Arc::new(AtomicU8::new(UNKNOWN)))
    }

    /// Requires that this process may sign.
    ///
    /// # Errors
    /// [`Code::LogBehind`](kernel::Code::LogBehind);
    /// [`Code::Unavailable`](kernel::Code::Unavailable) before the witnesses were asked.
    pub(crate) fn pass(&self) -> Result<()> {
        match self.0.load(Ordering::Acquire) {
            SOUND => Ok(()),
            BEHIND => Err(log_behind()),
            _ => Err(Error::unavailable("no witness was asked yet").retry_after(Duration::from_secs(1))),
        }
    }

    /// Returns true when a witness was found to have seen more.
    pub(crate) fn is_behind(&self) -> bool {
        self.0.load(Ordering::Acquire) == BEHIND
    }

    /// Lets everything pass.
    pub(crate) fn found_sound(&self) {
        self.0.store(SOUND, Ordering::Release);
    }

    /// Lets nothing pass from here on. Returns the error that says so.
    pub(crate) fn found_behind(&self, witness: &str, why: &str) -> Error {
        self.0.store(BEHIND, Ordering::Release);
        tracing::error!(
            witness,
            why,
            "a witness has seen more of the vault's meta-log than the database holds: an older backup was \
             restored, or the log was changed; nothing is signed; see docs/operations.md"
        );
        log_behind()
    }
}
