//! Drafts: seals on their way in, checked and written as the bytes that are hashed.
//!
//! An entry is one canonical JSON object (RFC 8785). Its members stand in this order, so that `at`,
//! a proposal's `expires_at` and `index`, which are known under the log's lock alone, go between
//! two parts that were made before:
//!
//! ```text
//! {"actor":…,"at":…,"expires_at":…,"index":…,"kind":…,"payload":…,"personal_sha256":…,
//!  "session_id":…,"subject":…,"tags":[…],"verdict":…}
//! ```

mod body;
mod check;
mod check_all;

pub(crate) use body::{Draft, OwnSeal};
pub(crate) use check::check;
pub(crate) use check_all::check_all;

#[cfg(test)]
mod tests;
