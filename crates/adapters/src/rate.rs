//! The requests that a caller may make: counted in Redis for all processes together, in this
//! process while Redis is away.

use std::{
    collections::HashMap,
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use kernel::ports::{RateCounter, RateDecision};

use crate::gcra::Gcra;

/// Subjects remembered by one process; about 2 MB.
const MAX_SUBJECTS: usize = 65_536;
/// The least time between searches of a full map for subjects that may be forgotten.
const SWEEP_MICROS: i64 = 1_000_000;

/// Counts requests. Cloning shares the counts.
#[derive(Clone)]
pub struct RateLimiter {
    shared: Arc<dyn RateCounter>,
    local: Arc<Local>,
}

impl RateLimiter {
    /// Creates a limiter that counts in `shared`, and by itself whenever that is away.
    pub fn new(shared: Arc<dyn RateCounter>) -> Self {
        Self { shared, local: Arc::new(Local::new()) }
    }

    /// Takes one of the `quota` requests that `subject` may make in each window of
    /// `window_seconds`.
    ///
    /// A request that Redis allowed is noted here as well. So when Redis goes away this process
    /// continues where it was, not from an untouched quota. It knows of no more requests than Redis
    /// did, so it refuses nobody whom Redis would have let through. The requests that the processes
    /// allow together while each counts alone, and those that a Redis that lost its memory allows
    /// again, are at most another window's quota each.
    pub async fn take(&self, subject: &str, quota: u32, window_seconds: u32) -> RateDecision {
        let gcra = Gcra::new(quota, window_seconds);
        match self.shared.take(subject, quota, window_seconds).await {
            Some(decision) => {
                if decision.allowed {
                    self.local.take(subject, gcra);
                }
                decision
            }
            None => self.local.take(subject, gcra),
        }
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RateLimiter({:?})", self.shared)
    }
}

/// The counts of this process.
struct Local {
    start: Instant,
    hasher: RandomState,
    arrivals: Mutex<Arrivals>,
}

#[derive(Default)]
struct Arrivals {
    /// By the keyed hash of the subject, since subjects come from outside and may be long.
    by_subject: HashMap<u64, i64>,
    swept_at: i64,
}

impl Local {
    fn new() -> Self {
        Self { start: Instant::now(), hasher: RandomState::new(), arrivals: Mutex::default() }
    }

    fn take(&self, subject: &str, gcra: Gcra) -> RateDecision {
        let now = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX / 2);
        self.take_at(subject, gcra, now)
    }

    fn take_at(&self, subject: &str, gcra: Gcra, now: i64) -> RateDecision {
        let subject = self.hasher.hash_one(subject);
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = arrivals.by_subject.get(&subject).copied().unwrap_or(now);
        match gcra.admit(arrival, now) {
            Some(next) => {
                arrivals.note(subject, next, now);
                gcra.decision(true, next - now)
            }
            None => gcra.decision(false, arrival - now),
        }
    }
}

impl Arrivals {
    /// Notes an arrival time. When more subjects are active than fit, the surplus goes uncounted,
    /// so that subjects that did nothing are not refused.
    fn note(&mut self, subject: u64, next: i64, now: i64) {
        if self.by_subject.len() >= MAX_SUBJECTS && now - self.swept_at >= SWEEP_MICROS {
            self.by_subject.retain(|_, arrival| *arrival > now);
            self.swept_at = now;
        }
        if self.by_subject.len() < MAX_SUBJECTS || self.by_subject.contains_key(&subject) {
            self.by_subject.insert(subject, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use futures::future::BoxFuture;

    use super::*;

    /// A shared counter that can be taken away.
    #[derive(Debug, Default)]
    struct Shared {
        away: AtomicBool,
        taken: AtomicU32,
    }

    impl RateCounter for Shared {
        fn take<'a>(
            &'a self,
            _: &'a str,
            quota: u32,
            window_seconds: u32,
        ) -> BoxFuture<'a, Option<RateDecision>> {
            Box::pin(async move {
                if self.away.load(Ordering::SeqCst) {
                    return None;
                }
                let allowed = self.taken.fetch_add(1, Ordering::SeqCst) < quota;
                Some(Gcra::new(quota, window_seconds).decision(allowed, 0))
            })
        }
    }

    async fn allowed(limiter: &RateLimiter, requests: u32) -> u32 {
        let mut allowed = 0;
        for _ in 0..requests {
            allowed += u32::from(limiter.take("key_1", 10, 3600).await.allowed);
        }
        allowed
    }

    #[tokio::test]
    async fn when_the_shared_counter_goes_away_the_quota_goes_on_where_it_was() {
        let shared = Arc::new(Shared::default());
        let limiter = RateLimiter::new(Arc::<Shared>::clone(&shared));
        assert_eq!(allowed(&limiter, 6).await, 6);
        shared.away.store(true, Ordering::SeqCst);
        assert_eq!(allowed(&limiter, 20).await, 4);
        shared.away.store(false, Ordering::SeqCst);
        assert_eq!(
            allowed(&limiter, 20).await,
            4,
            "what the shared counter has left, and no phantom refusal"
        );
    }

    #[test]
    fn the_map_is_bounded_and_forgets_the_idle() {
        let local = Local::new();
        let gcra = Gcra::new(1, 1);
        let surplus = MAX_SUBJECTS + 10;
        for subject in 0..surplus {
            assert!(local.take_at(&subject.to_string(), gcra, 5_000_000).allowed);
        }
        assert_eq!(local.arrivals.lock().unwrap().by_subject.len(), MAX_SUBJECTS);
        assert!(!local.take_at("0", gcra, 5_000_000).allowed);
        local.take_at("newcomer", gcra, 7_000_000);
        assert_eq!(local.arrivals.lock().unwrap().by_subject.len(), 1);
    }
}
