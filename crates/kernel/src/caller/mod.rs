//! Who is calling and what they may do.

mod permission;
mod principal;

pub use permission::{Permission, Permissions, Plan, Role, UnknownName};
pub use principal::{Actor, Member, Person, Principal, RequestContext, Signer};
