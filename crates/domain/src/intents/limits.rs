//! Limits of intents: sizes, times and numbers.

use std::{ops::RangeInclusive, time::Duration};

use chrono::TimeDelta;

/// The largest payload, in bytes of its JSON text.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// The largest body of a request that sends an intent: the payload and the members around it.
pub const MAX_BODY: usize = MAX_PAYLOAD + 16 * 1024;
/// The life of an intent, in seconds.
pub const TTL_SECONDS: RangeInclusive<u32> = 1..=7 * 24 * 3600;
/// The life of an intent when the sender does not say: a day.
pub const DEFAULT_TTL_SECONDS: u32 = 24 * 3600;
/// The length of a lease, in seconds, when the recipient asks for another than
/// [`DEFAULT_LEASE_SECONDS`].
pub const LEASE_SECONDS: RangeInclusive<u32> = 1..=3600;
/// The length of a lease, in seconds, when the recipient does not say.
pub const DEFAULT_LEASE_SECONDS: u32 = 30;
/// The most leases of a delivery before it is dead: a recipient that fails on it every time would
/// fail for ever.
pub const MAX_ATTEMPTS: i32 = 50;
/// The time for which an intent can still be read after it was settled.
pub const RETENTION: TimeDelta = TimeDelta::days(30);
/// The longest wait of one request for a delivery.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// The most deliveries that one request leases.
pub const MAX_BATCH: u16 = 100;
/// The most bytes of intents that one request leases, except that the first may be larger: an
/// answer is built in memory.
pub(super) const MAX_BATCH_BYTES: i64 = 4 * 1024 * 1024;
/// The longest delay that a recipient may ask for, in seconds: a day.
pub(super) const MAX_DELAY_SECONDS: u32 = 24 * 3600;
