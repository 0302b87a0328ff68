//! Organizations: the people who share projects. Every use case in one goes through [`read`],
//! [`write`] or [`write_once`], which read the caller's role in the same transaction.

mod adopt;
mod create;
mod get;
mod limits;
mod membership;
mod model;
mod store;
mod update;

pub mod invitations;
pub mod members;
pub mod projects;

pub use adopt::adopt;
pub use create::{CREATE_ERRORS, create};
pub use get::{get, list};
pub use limits::{MAX_MEMBERS, MAX_OF_A_PERSON, MAX_PROJECTS};
pub use membership::{AsMember, MEMBER_ERRORS, read, write, write_once};
pub use model::{NewOrganization, Organization, OrganizationPatch};
pub(super) use store::{insert_organization, insert_project};
pub use update::{UPDATE_ERRORS, update};
