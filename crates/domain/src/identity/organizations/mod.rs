//! Organisations: the people who share projects. Whatever is done in one begins by [`enter`]ing it.

mod enter;
pub(super) mod store;

pub use enter::enter;
