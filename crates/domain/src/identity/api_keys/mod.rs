//! A project's API keys, by which the project's own programs prove themselves. A key's text is
//! shown once, when it is created; after that it is known by its prefix. Nobody creates or manages
//! a key that has more permissions than they have.

mod create;
mod get;
mod limits;
mod model;
mod revoke;
mod rotate;
mod rules;
mod store;
mod text;

pub use create::{CREATE_ERRORS, create};
pub use get::{GET_ERRORS, get, list};
pub use limits::MAX_LIVE;
pub use model::{IssuedKey, Key, KeyRequest, Rotation, Scope};
pub use revoke::{REVOKE_ERRORS, revoke};
pub use rotate::{ROTATE_ERRORS, rotate};
pub(super) use store::insert;
pub use text::{ApiKey, NotAnApiKey};
