//! How large, how long and how many.

use std::{ops::RangeInclusive, time::Duration};

use chrono::TimeDelta;

/// The largest payload, in bytes of its JSON text.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// The largest body of a request that sends an intent: the payload and what stands around it.
pub const MAX_BODY: usize = MAX_PAYLOAD + 16 * 1024;
/// How long an intent may live, in seconds.
pub const TTL_SECONDS: RangeInclusive<u32> = 1..=7 * 24 * 3600;
/// How long it lives when the sender does not say: a day.
pub const DEFAULT_TTL_SECONDS: u32 = 24 * 3600;
/// How long a lease lasts, in seconds, when the recipient asks for another than
/// [`DEFAULT_LEASE_SECONDS`].
pub const LEASE_SECONDS: RangeInclusive<u32> = 1..=3600;
/// How long a lease lasts when nobody says.
pub const DEFAULT_LEASE_SECONDS: u32 = 30;
/// How often a delivery is leased before it is given up: a recipient that fails on it every time
/// would fail for ever.
pub const MAX_ATTEMPTS: i32 = 50;
/// How long an intent can still be read after it was settled.
pub const RETENTION: TimeDelta = TimeDelta::days(30);
/// How long one request may wait for a delivery.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// The most deliveries one request leases.
pub const MAX_BATCH: u16 = 100;
/// The most bytes of intents one request leases, but for a first that is larger: an answer is put
/// together in memory.
pub(super) const MAX_BATCH_BYTES: i64 = 4 * 1024 * 1024;
/// The longest a recipient may put a delivery off, in seconds: a day.
pub(super) const MAX_DELAY_SECONDS: u32 = 24 * 3600;
