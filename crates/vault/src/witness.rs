//! The port through which a witness is asked for its cosignature.

use std::fmt;

use futures::future::BoxFuture;

use crate::{Hash, cosignature::WitnessKey};

/// A witness of the vault's logs: somebody else, who cosigns a log's checkpoint once it is proved to continue the last one that it saw (C2SP
/// tlog-witness). An effect: called only from a job, and by the guard against rollback, for which nobody waits.
pub trait Witness: Send + Sync + fmt::Debug {
    /// Its name and key, to verify its answers with.
    fn key(&self) -> &WitnessKey;

    /// Asks for its cosignature of `checkpoint`, a signed note of ours. `old_size` is the size that it cosigned last, in leaves, and `proof`
    /// the consistency proof from there, which is empty from 0 and to the same size. Whoever does not know the size says 0, and is told.
    ///
    /// One attempt, bounded by its own timeout; the same again is harmless. The signature lines it answered with, without their newlines,
    /// none of them verified: [`WitnessKey::find`] does that.
    ///
    /// # Errors
    /// [`WitnessRefused`] says whether another proof, an operator or time would help.
    fn add_checkpoint<'a>(
        &'a self,
        old_size: u64,
        proof: &'a [Hash],
        checkpoint: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, WitnessRefused>>;
}

/// Why a witness did not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefused {
    /// It cosigned another size last than the one the proof began at: prove from this one. A size above the checkpoint's means that it has seen a
    /// newer one, from another process or from before a backup was restored.
    #[error("the witness cosigned the size {size} last")]
    Behind {
        /// Leaves.
        size: u64,
    },
    /// What it cosigned is not how this checkpoint's tree begins: it has seen another history. In words for the operator.
    #[error("the witness has seen another tree: {0}")]
    Forked(String),
    /// It will not, and asking again does not help. In words for the operator, with nothing of what the witness said.
    #[error("the witness refused: {0}")]
    Refused(String),
    /// It was not reached, or has a fault that may pass. In words for the operator.
    #[error("the witness is away: {0}")]
    Away(String),
}
