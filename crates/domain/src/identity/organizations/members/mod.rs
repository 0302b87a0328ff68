//! Members of an organization. Nobody manages roles above their own, so only owners manage owners;
//! and there is always at least one owner.

mod get;
mod model;
mod remove;
mod rules;
mod store;
mod update;

pub use get::{GET_ERRORS, get, list};
pub use model::{Membership, MembershipPatch};
pub use remove::{REMOVE_ERRORS, remove};
pub(super) use store::count_owners;
pub use update::{UPDATE_ERRORS, update};
