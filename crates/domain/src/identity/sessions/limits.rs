//! For how long.

use chrono::TimeDelta;

/// How long a session lives after its last use.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);
/// How long after its use a token may come again from the same client: an answer that got lost is
/// asked for again.
pub(super) const REUSE_GRACE: TimeDelta = TimeDelta::seconds(10);
