//! Proposals, which wait for a person, and the decisions that settle them. Both are in the log; the
//! list of open ones is stored beside it.

mod decide;
mod decision;
mod expire;
mod read;

pub use decide::{DECIDE_ERRORS, decide};
pub use expire::expire;
pub use read::{PROPOSAL_ERRORS, PROPOSALS_ERRORS, proposal, proposals};
