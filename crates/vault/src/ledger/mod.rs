//! The one way in which a log grows.
//!
//! ```text
//! Unit ─lock─▶ Ledger ─push, push, …, write─▶ Written ─commit─▶ Committed ─sign─▶ Signed ─▶ proofs
//! ```
//!
//! The holder of a [`Ledger`] holds the lock of the log's head until the transaction ends. That
//! lock is all that keeps batches apart: under it indexes are contiguous, times never go back, and
//! the tree continues from the edge that the last batch left. Each step consumes the one before, so
//! that a batch is signed only when it is known to be committed.
//!
//! [`Ledger::run`] and [`Ledger::run_once`] take these steps for a single job or request; the
//! batches of [`Appender`](crate::Appender) take them for many.

mod commit;
mod replay;
mod run;
mod session;
mod signed;
mod subject_keys;
mod write;

pub(crate) use commit::Written;
pub(crate) use replay::{StoredPointer, prove_again};
pub(crate) use session::Ledger;
pub(crate) use signed::Signed;
