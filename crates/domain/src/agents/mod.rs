//! The registry: the agents of a project, their capabilities, and their endpoints.

mod directory;
mod limits;
mod list;
mod model;
mod register;
mod remove;
mod rules;
mod store;
mod update;

pub mod jobs;

pub use directory::{Directory, GET_ERRORS};
pub use limits::MAX_AGENTS;
pub use list::list;
pub use model::{Agent, AgentName, AgentPatch, Capability, NotAnAgentName, Registration};
pub use register::{REGISTER_ERRORS, register};
pub use remove::{REMOVE_ERRORS, remove};
pub use update::{UPDATE_ERRORS, update};
