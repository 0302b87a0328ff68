//! How many, how often and for how long.

use chrono::TimeDelta;

/// How many open invitations an organization can have.
pub const MAX_OPEN: i64 = 100;
/// How long an invitation can be accepted.
pub const LIFETIME: TimeDelta = TimeDelta::days(7);
/// How often one address can be invited within [`RECENT`], revoked invitations among them: nobody's
/// inbox is to be filled from here.
pub(super) const MAX_RECENT: i64 = 5;
/// How long an invitation counts as recent.
pub(super) const RECENT: TimeDelta = TimeDelta::hours(1);
/// How long after it was sent an invitation may be sent again.
pub(super) const RESEND_PAUSE: TimeDelta = TimeDelta::minutes(5);
