//! The port through which a witness is asked for its cosignature.

use std::fmt;

use futures::future::BoxFuture;
use kernel::effect::Effect;
use tlog_tiles::Hash;

use crate::format::cosignature::WitnessKey;

/// A witness of the vault's logs: an independent party that cosigns a log's checkpoint once a proof
/// shows that it continues the last one that it saw (C2SP tlog-witness). An effect: called only
/// from a job, and by the guard against rollback, which no caller waits for.
pub trait Witness: Send + Sync + fmt::Debug {
    /// Returns its name and key, which verify its answers.
    fn key(&self) -> &WitnessKey;

    /// Asks for its cosignature of `checkpoint`, a signed note of ours. `old_size` is the size that
    /// it cosigned last, in leaves, and `proof` the consistency proof from there, which is empty
    /// from 0 and to the same size. A caller that does not know the size passes 0, and the answer
    /// states it.
    ///
    /// Makes one attempt, bounded by its own timeout; repeating it is harmless.
    ///
    /// # Errors
    /// [`Failed`](kernel::effect::Failed) when it could not be asked, or has a fault that may pass.
    fn add_checkpoint<'a>(
        &'a self,
        old_size: u64,
        proof: &'a [Hash],
        checkpoint: &'a str,
    ) -> BoxFuture<'a, Effect<WitnessAnswer>>;
}

/// The answer of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// It cosigned. These are the signature lines of its answer, without their newlines, none of
    /// them verified: [`WitnessKey::find`] does that.
    Cosigned(Vec<String>),
    /// It last cosigned another size than the one that the proof begins at: prove from this one. A
    /// size above the checkpoint's means that it has seen a newer one, from another process or from
    /// before a backup was restored.
    Behind {
        /// The size, in leaves.
        size: u64,
    },
    /// The checkpoint's tree does not begin with the one that it cosigned: it has seen another
    /// history. With the details in words, for the operator.
    Forked(String),
    /// It refuses, and asking again does not help. With the reason in words, for the operator,
    /// which do not quote the witness.
    Refused(String),
}
