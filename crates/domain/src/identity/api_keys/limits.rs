//! Limits of keys: their number, their scopes, and their life.

use std::ops::RangeInclusive;

use chrono::TimeDelta;

/// The most keys of a project that can be in use.
pub const MAX_LIVE: i64 = 100;
/// The most scopes that a request can name.
pub(super) const MAX_SCOPES: usize = 32;
/// The longest life of a key that expires.
pub(super) const MAX_LIFETIME: TimeDelta = TimeDelta::days(3653);
/// The time for which a rotated key may still work, in seconds.
pub(super) const OVERLAP_SECONDS: RangeInclusive<i64> = 0..=7 * 24 * 3600;
