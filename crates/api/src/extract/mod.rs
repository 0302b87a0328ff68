//! Reads requests: axum's extractors, with our errors, which document themselves.

mod body;
mod if_match;
mod list_query;
mod path;
mod query;
mod serde_words;

pub use body::{BODY_ERRORS, JSON_ERRORS, body_bytes, check_json, json, read};
pub use if_match::IfMatch;
pub use list_query::List;
pub use path::{Path, PathValue, path_value};
pub use query::Query;
