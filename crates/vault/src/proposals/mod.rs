//! Seals that wait for a person: proposals, and the decisions that settle them. Both are in the
//! log; what is stored beside it is the list of open ones.

mod decide;
mod decision;
mod expire;
mod read;

pub use decide::{DECIDE_ERRORS, decide};
pub use expire::expire;
pub use read::{PROPOSAL_ERRORS, PROPOSALS_ERRORS, proposal, proposals};
