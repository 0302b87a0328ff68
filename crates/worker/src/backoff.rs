//! The waits between repeated attempts.

use std::time::Duration;

use kernel::Ids;

use crate::timing::jittered;

/// The waits between attempts to reach a dependency that is away: jittered, doubling, capped.
#[derive(Debug)]
pub(crate) struct Backoff {
    ids: Ids,
    next: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const CAP: Duration = Duration::from_secs(2);

    pub(crate) fn new(ids: Ids) -> Self {
        Self { ids, next: Self::FIRST }
    }

    /// Resets the wait to the shortest one.
    pub(crate) fn reset(&mut self) {
        self.next = Self::FIRST;
    }

    /// Returns the wait after this failure.
    pub(crate) fn after_failure(&mut self) -> Duration {
        let wait = jittered(&self.ids, self.next);
        self.next = (self.next * 2).min(Self::CAP);
        wait
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    #[test]
    fn waits_grow_stay_under_the_cap_and_start_over() {
        let mut backoff = Backoff::new(Ids::new(Clock::system()));
        let mut at_most = Backoff::FIRST;
        for _ in 0..10 {
            let wait = backoff.after_failure();
            assert!(wait >= at_most / 2 && wait <= at_most, "{wait:?} is not within half of {at_most:?}");
            at_most = (at_most * 2).min(Backoff::CAP);
        }
        backoff.reset();
        assert!(backoff.after_failure() <= Backoff::FIRST);
    }
}
