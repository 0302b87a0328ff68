//! Limits of sessions.

use chrono::TimeDelta;

/// The time for which a session lives after its last use.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);
/// The time after its use within which the same client may send a token again, because the answer
/// may have got lost.
pub(super) const REUSE_GRACE: TimeDelta = TimeDelta::seconds(10);
