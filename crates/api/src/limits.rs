//! How large bodies may be, in bytes.

/// The body of a route that does not say otherwise.
pub const BODY: usize = 1024 * 1024;
/// The body of a route that anybody may send something to.
pub const SMALL_BODY: usize = 16 * 1024;
