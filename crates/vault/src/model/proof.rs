//! Proofs, and the result of checking one.

use kernel::ids::LogId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::format::receipt::Flaw;

/// The proof that an entry is in the tree of a size.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Inclusion {
    /// The entry's place in the log.
    #[schema(minimum = 0)]
    pub index: u64,
    /// The size of the tree.
    #[schema(minimum = 1)]
    pub size: u64,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    pub leaf_hash: String,
    /// The root of that tree, in base64.
    #[schema(max_length = 44)]
    pub root: String,
    /// The hashes beside the path from the leaf to the root, the leaf's sibling first, in base64
    /// (RFC 6962, section 2.1.1).
    pub hashes: Vec<String>,
}

/// The proof that the tree of one size begins with the tree of another.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Consistency {
    /// The smaller size.
    #[schema(minimum = 1)]
    pub from: u64,
    /// The larger size.
    #[schema(minimum = 1)]
    pub to: u64,
    /// The root of the smaller tree, in base64.
    #[schema(max_length = 44)]
    pub from_root: String,
    /// The root of the larger tree, in base64.
    #[schema(max_length = 44)]
    pub to_root: String,
    /// The proof's hashes, in base64 (RFC 6962, section 2.1.2).
    pub hashes: Vec<String>,
}

/// The result of checking a receipt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verification {
    /// True when everything is right.
    pub valid: bool,
    /// The first thing that is wrong; null when nothing is.
    #[schema(required = true)]
    pub flaw: Option<Flaw>,
    /// The same in a sentence.
    #[schema(max_length = 400)]
    pub detail: String,
    /// The log that the receipt belongs to, if it is one of ours.
    #[schema(required = true)]
    pub log: Option<LogId>,
    /// The entry's place in it, as the receipt states it.
    #[schema(required = true, minimum = 0)]
    pub index: Option<u64>,
    /// The size of the checkpoint's tree; null when something is wrong.
    #[schema(required = true, minimum = 1)]
    pub size: Option<u64>,
}
