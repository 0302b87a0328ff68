//! The one source of the time, so that a test can hold it still.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};

/// An instant, RFC 3339 UTC on the wire, `timestamptz` in Postgres.
pub type Timestamp = DateTime<Utc>;

/// Tells the time: the system's, or one that a test moves by hand. Cloning shares it.
#[derive(Clone, Default)]
pub struct Clock {
    held_micros: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// Returns the machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Returns a clock that stands still at `at` until [`Clock::advance`] moves it.
    pub fn held(at: Timestamp) -> Self {
        Self { held_micros: Some(Arc::new(AtomicI64::new(at.timestamp_micros()))) }
    }

    /// Returns the current time, to the microsecond, as Postgres keeps it: a stored time equals the
    /// one it came from.
    pub fn now(&self) -> Timestamp {
        let micros = match &self.held_micros {
            Some(held) => held.load(Ordering::SeqCst),
            None => system_micros(),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Moves a held clock forward; does nothing to the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Some(held) = &self.held_micros {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            held.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that may ask the system")]
fn system_micros() -> i64 {
    Utc::now().timestamp_micros()
}
