//! Limits of invitations: their number, their rate, and their life.

use chrono::TimeDelta;

/// The most open invitations of an organization.
pub const MAX_OPEN: i64 = 100;
/// The time for which an invitation can be accepted.
pub const LIFETIME: TimeDelta = TimeDelta::days(7);
/// The most invitations to one address within [`RECENT`], revoked ones among them, so that nobody's
/// inbox is filled from here.
pub(super) const MAX_RECENT: i64 = 5;
/// The time for which an invitation counts as recent.
pub(super) const RECENT: TimeDelta = TimeDelta::hours(1);
/// The time after which an invitation may be sent again.
pub(super) const RESEND_PAUSE: TimeDelta = TimeDelta::minutes(5);
