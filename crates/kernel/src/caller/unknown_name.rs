//! The error of reading a role, a plan or a permission.

/// The error for text that names nothing known to this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name is not known")]
pub struct UnknownName;
