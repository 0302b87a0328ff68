//! The formats that a log is written, proved and checked in. They are pure: bytes and text in,
//! values out. Nothing here knows the ledger or a database, so a verifier needs no other module.

pub mod cosignature;
pub mod json;
pub mod note;
pub mod receipt;
pub mod tile_path;
pub mod tree;
