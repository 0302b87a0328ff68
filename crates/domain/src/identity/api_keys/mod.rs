//! A project's API keys: what programs of the project's own prove themselves with.

pub(super) mod store;
mod text;

pub use text::{ApiKey, NotAnApiKey};
