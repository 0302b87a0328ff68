//! Reading and exporting the audit log.

mod export;
mod list;
mod model;
mod store;

pub use export::Export;
pub use list::{FILTER_ERRORS, of_organization, of_person};
pub use model::Filter;
