//! The arithmetic of rate limiting: the generic cell rate algorithm (ITU-T I.371), which keeps one
//! number for each subject.
//!
//! That number is the *theoretical arrival time*: when the whole quota will be there again. Each
//! request moves it on by `window / quota`; one that would move it further than a window ahead of
//! now is refused and moves nothing. So a whole quota may be spent at once, and comes back
//! steadily.

use kernel::ports::RateDecision;

const MICROS: i64 = 1_000_000;

/// A quota: a number of requests in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gcra {
    /// Microseconds.
    pub(crate) window: i64,
    /// Microseconds between requests that arrive steadily.
    pub(crate) interval: i64,
}

impl Gcra {
    /// Creates a quota. A `quota` or a window of 0 counts as 1.
    pub(crate) fn new(quota: u32, window_seconds: u32) -> Self {
        let window = i64::from(window_seconds.max(1)) * MICROS;
        Self { window, interval: (window / i64::from(quota.max(1))).max(1) }
    }

    /// Returns the arrival time after a request at `now`, or `None` when it is refused. A time
    /// further ahead than any request could have moved it comes from another policy, or from a
    /// clock that was set back: it is pulled in, so that nobody is locked out by it.
    pub(crate) fn admit(self, arrival: i64, now: i64) -> Option<i64> {
        let next = arrival.clamp(now, now + self.window) + self.interval;
        (next <= now + self.window).then_some(next)
    }

    /// Returns what to tell a caller after whose request the arrival time is `ahead` microseconds
    /// from now.
    pub(crate) fn decision(self, allowed: bool, ahead: i64) -> RateDecision {
        let ahead = ahead.clamp(0, self.window);
        let wait = if allowed { 0 } else { (ahead + self.interval - self.window).max(1) };
        RateDecision {
            allowed,
            remaining: if allowed { whole((self.window - ahead) / self.interval) } else { 0 },
            reset_seconds: seconds(ahead),
            retry_after_seconds: seconds(wait),
        }
    }
}

/// Converts to seconds, rounded up: a caller that waits as long as it is told must not be refused
/// again.
fn seconds(micros: i64) -> u32 {
    whole((micros + MICROS - 1) / MICROS)
}

fn whole(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_may_be_spent_at_once_and_comes_back_steadily() {
        let gcra = Gcra::new(100, 60);
        let (mut arrival, now) = (0, 1_000_000 * MICROS);
        for left in (0..100).rev() {
            arrival = gcra.admit(arrival, now).unwrap();
            let decision = gcra.decision(true, arrival - now);
            assert_eq!((decision.remaining, decision.retry_after_seconds), (left, 0));
        }
        assert_eq!(gcra.admit(arrival, now), None);
        let refused = gcra.decision(false, arrival - now);
        assert_eq!(
            refused,
            RateDecision { allowed: false, remaining: 0, reset_seconds: 60, retry_after_seconds: 1 }
        );
        let after = now + i64::from(refused.retry_after_seconds) * MICROS;
        assert!(gcra.admit(arrival, after).is_some());
    }

    #[test]
    fn an_arrival_time_from_a_clock_set_back_locks_nobody_out() {
        let gcra = Gcra::new(2, 10);
        let now = 1_000_000 * MICROS;
        let from_the_future = now + 3_600 * MICROS;
        assert_eq!(gcra.admit(from_the_future, now), None);
        assert!(gcra.decision(false, from_the_future - now).retry_after_seconds <= 5);
    }

    #[test]
    fn zeros_do_not_divide() {
        assert_eq!(Gcra::new(0, 0), Gcra::new(1, 1));
        assert!(Gcra::new(u32::MAX, 1).interval > 0);
    }
}
