//! Projects: the tenants that everything else belongs to.

mod create;
mod get;
mod model;
mod store;
mod update;

pub use create::{CREATE_ERRORS, create};
pub use get::{get, list};
pub use model::{NewProject, Project, ProjectPatch};
pub(in crate::identity) use store::lock;
pub use update::{UPDATE_ERRORS, update};
