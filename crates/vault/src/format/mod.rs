//! The formats that a log is written, proved and checked in. They are pure: bytes and texts in,
//! values out. Nothing here knows the ledger or a database, so whoever only verifies needs no more.

pub mod cosignature;
pub mod json;
pub mod note;
pub mod receipt;
pub mod tile_path;
pub mod tree;
