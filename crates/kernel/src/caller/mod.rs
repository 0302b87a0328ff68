//! Callers and what they may do.
//!
//! An extractor proves a [`Principal`], a [`Signer`] or a [`Person`]. A use case takes it as
//! [`Authorized`] for the permission it requires, so that a handler which forgot to check does not
//! compile. Code that runs a transaction turns it into a [`Caller`].

mod authorized;
mod by;
mod on_behalf;
mod permission;
mod permissions;
mod plan;
mod principal;
mod request;
mod role;
mod unknown_name;

pub use authorized::Authorized;
pub use by::By;
pub use on_behalf::Caller;
pub use permission::{Allows, Permission, allow};
pub use permissions::Permissions;
pub use plan::Plan;
pub use principal::{Actor, HasPermissions, HasRequest, Member, Person, Principal, Signer};
pub use request::{IdempotencyKey, RequestContext};
pub use role::Role;
pub use unknown_name::UnknownName;
