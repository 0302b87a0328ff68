//! The identity of this build.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit, if the build was told.
pub const COMMIT: Option<&str> = option_env!("GIT_SHA");
