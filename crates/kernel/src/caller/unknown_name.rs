//! The error of reading a role, a plan or a permission.

/// A text names nothing that this build knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name is not known")]
pub struct UnknownName;
