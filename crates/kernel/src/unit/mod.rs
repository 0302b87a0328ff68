//! The unit of work: one transaction, and everything that must happen with it or not at all.
//!
//! ```text
//! begin ─▶ look the Idempotency-Key up ─▶ consume the nonce ─▶ body ─▶ flush
//!          │                              ─▶ store the response ─▶ commit ─▶ forget, notify
//!          └──stored before──▶ the first answer, nothing is done
//! ```
//!
//! [`Core::write`](crate::Core::write) and its siblings run it from begin to end. A body reads and
//! writes through the unit, which is a connection, and collects what else is to happen: audit
//! events, jobs, hints, credentials to forget. Events and jobs are rows of the same transaction;
//! hints and forgetting follow the commit, and never come without it.

mod admission;
mod effects;
mod run;
mod store;
mod work;

pub use admission::Admitted;
pub use work::Unit;
