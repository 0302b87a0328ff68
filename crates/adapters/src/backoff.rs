//! The wait before the next attempt at something that failed.

use std::{collections::hash_map::RandomState, hash::BuildHasher, time::Duration};

/// Waits that double from `first` to `longest`, each lengthened by up to a quarter at random, so
/// that replicas that lost the same dependency at the same moment do not return to it at the same
/// moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The wait after `failures` (1 for the first) in a row.
    pub(crate) fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let wait = self.first.saturating_mul(1 << doublings).min(self.longest);
        wait.mul_f64(1.0 + unit_random() / 4.0)
    }

    pub(crate) const fn longest(self) -> Duration {
        self.longest
    }
}

/// A number in [0, 1). The keys of std's hash maps are random and no secret hangs on a jitter, so
/// it needs no generator.
fn unit_random() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or(0);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_never_beyond_its_jitter() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));
        for (failures, base) in [(0, 1), (1, 1), (2, 2), (3, 4), (4, 4), (u32::MAX, 4)] {
            let wait = backoff.after(failures);
            let base = Duration::from_secs(base);
            assert!(wait >= base && wait < base.mul_f64(1.25), "{wait:?} after {failures}");
        }
    }
}
