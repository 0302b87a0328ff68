//! The largest bodies, in bytes.

/// The largest body of a route that sets no other limit.
pub const BODY: usize = 1024 * 1024;
/// The largest body of a route that anybody may send something to.
pub const SMALL_BODY: usize = 16 * 1024;
