//! Which build this is.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit, where the build was told.
pub const COMMIT: Option<&str> = option_env!("GIT_SHA");
