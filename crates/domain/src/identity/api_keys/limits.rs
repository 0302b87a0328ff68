//! How many keys, and for how long.

use std::ops::RangeInclusive;

use chrono::TimeDelta;

/// How many keys of a project can be in use.
pub const MAX_LIVE: i64 = 100;
/// How many scopes a request can name.
pub(super) const MAX_SCOPES: usize = 32;
/// The furthest that an expiry may lie ahead.
pub(super) const MAX_LIFETIME: TimeDelta = TimeDelta::days(3653);
/// How long a rotated key may still work, in seconds.
pub(super) const OVERLAP_SECONDS: RangeInclusive<i64> = 0..=7 * 24 * 3600;
