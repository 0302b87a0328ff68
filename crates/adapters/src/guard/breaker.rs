//! The circuit breaker: closed (calls go through) → open (calls are refused) → half-open (one probe
//! decides) → closed or open.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::backoff::Backoff;

/// Opens on the first failure. What it guards is an accelerator, whose absence costs little; a
/// breaker that waited for more failures would cost each request meanwhile a timeout.
#[derive(Debug)]
pub(super) struct Breaker {
    windows: Backoff,
    /// The limit of a probe; one that never reported, because its task was dropped, is
    /// forgotten after it.
    probe_limit: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Grows with every change of phase, so that the outcome of a call from before a change cannot
    /// undo it.
    epoch: u64,
    /// Openings in a row, each soon after the breaker had closed or while it was half-open.
    streak: u32,
    closed_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { until: Instant },
}

/// The right to make one call, and to report how it went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit {
    epoch: u64,
}

impl Breaker {
    /// Begins open with its window over: until a first probe has succeeded no caller waits for a
    /// dependency that may not be there.
    pub(super) fn new(windows: Backoff, probe_limit: Duration, now: Instant) -> Self {
        let state = State { phase: Phase::Open { until: now }, epoch: 0, streak: 0, closed_at: None };
        Self { windows, probe_limit, state: Mutex::new(state) }
    }

    /// Admits a call only while closed. A dependency is found back by the probe, never by a
    /// request.
    pub(super) fn admit_call(&self) -> Option<Permit> {
        let state = self.lock();
        matches!(state.phase, Phase::Closed).then_some(Permit { epoch: state.epoch })
    }

    /// Admits a probe while closed, and only one probe once the window is over.
    pub(super) fn admit_probe(&self, now: Instant) -> Option<Permit> {
        let mut state = self.lock();
        match state.phase {
            Phase::Closed => {}
            Phase::Open { until } | Phase::HalfOpen { until } if now >= until => {
                state.phase = Phase::HalfOpen { until: now + self.probe_limit };
                state.epoch += 1;
            }
            Phase::Open { .. } | Phase::HalfOpen { .. } => return None,
        }
        Some(Permit { epoch: state.epoch })
    }

    /// Returns whether this closed the breaker.
    pub(super) fn succeeded(&self, permit: Permit, now: Instant) -> bool {
        let mut state = self.lock();
        let decides = state.epoch == permit.epoch && matches!(state.phase, Phase::HalfOpen { .. });
        if decides {
            state.phase = Phase::Closed;
            state.epoch += 1;
            state.closed_at = Some(now);
        }
        decides
    }

    /// Returns whether this opened the breaker from closed. If many calls failed together, the
    /// first one opens it; the others neither lengthen the window nor count again.
    pub(super) fn failed(&self, permit: Permit, now: Instant) -> bool {
        let mut state = self.lock();
        if state.epoch != permit.epoch {
            return false;
        }
        let was_closed = matches!(state.phase, Phase::Closed);
        if state.closed_at.is_some_and(|at| was_closed && now.duration_since(at) > self.windows.longest()) {
            state.streak = 0;
        }
        state.streak = state.streak.saturating_add(1);
        state.phase = Phase::Open { until: now + self.windows.after(state.streak) };
        state.epoch += 1;
        was_closed
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.lock().phase, Phase::Closed)
    }

    /// Returns when a probe may pass; `None` while closed.
    pub(super) fn reopens_at(&self) -> Option<Instant> {
        match self.lock().phase {
            Phase::Closed => None,
            Phase::Open { until } | Phase::HalfOpen { until } => Some(until),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker(now: Instant) -> Breaker {
        Breaker::new(Backoff::new(SECOND, 4 * SECOND), SECOND, now)
    }

    fn closed(now: Instant) -> Breaker {
        let breaker = breaker(now);
        let probe = breaker.admit_probe(now).unwrap();
        assert!(breaker.succeeded(probe, now));
        breaker
    }

    #[test]
    fn until_a_first_probe_succeeds_no_call_passes() {
        let now = Instant::now();
        let breaker = breaker(now);
        assert!(breaker.admit_call().is_none());
        let probe = breaker.admit_probe(now).unwrap();
        assert!(breaker.admit_call().is_none(), "half-open: the probe is alone");
        assert!(breaker.succeeded(probe, now));
        assert!(breaker.admit_call().is_some());
    }

    #[test]
    fn of_calls_that_fail_together_the_first_opens_and_the_others_change_nothing() {
        let now = Instant::now();
        let breaker = closed(now);
        let permits: Vec<_> = (0..100).map(|_| breaker.admit_call().unwrap()).collect();
        let opened = permits.iter().filter(|permit| breaker.failed(**permit, now)).count();
        assert_eq!(opened, 1);
        let window = breaker.reopens_at().unwrap() - now;
        assert!(window < 2 * SECOND, "a hundred failures at once are one failure: {window:?}");
        assert!(breaker.admit_call().is_none());
    }

    #[test]
    fn a_success_from_before_the_opening_does_not_close_it() {
        let now = Instant::now();
        let breaker = closed(now);
        let (slow, fails) = (breaker.admit_call().unwrap(), breaker.admit_call().unwrap());
        assert!(breaker.failed(fails, now));
        assert!(!breaker.succeeded(slow, now));
        assert!(!breaker.is_closed());
    }

    #[test]
    fn windows_grow_while_probes_fail_and_start_anew_after_a_quiet_time() {
        let mut now = Instant::now();
        let breaker = closed(now);
        let permit = breaker.admit_call().unwrap();
        breaker.failed(permit, now);
        for longest in [2, 4, 5, 5] {
            now = breaker.reopens_at().unwrap();
            let probe = breaker.admit_probe(now).unwrap();
            assert!(!breaker.failed(probe, now), "it was open already");
            assert!(breaker.reopens_at().unwrap() - now <= longest * SECOND + SECOND);
        }
        assert!(breaker.reopens_at().unwrap() - now >= 4 * SECOND);

        now = breaker.reopens_at().unwrap();
        let probe = breaker.admit_probe(now).unwrap();
        assert!(breaker.succeeded(probe, now));
        now += 10 * SECOND;
        let permit = breaker.admit_call().unwrap();
        assert!(breaker.failed(permit, now));
        assert!(breaker.reopens_at().unwrap() - now < 2 * SECOND);
    }

    #[test]
    fn a_probe_whose_task_died_is_replaced() {
        let now = Instant::now();
        let breaker = breaker(now);
        assert!(breaker.admit_probe(now).is_some());
        assert!(breaker.admit_probe(now).is_none());
        assert!(breaker.admit_probe(now + 2 * SECOND).is_some());
    }

    #[test]
    fn of_many_threads_one_gets_the_probe() {
        let now = Instant::now();
        let breaker = Arc::new(breaker(now));
        let threads: Vec<_> = (0..16)
            .map(|_| {
                let breaker = Arc::clone(&breaker);
                thread::spawn(move || breaker.admit_probe(now).is_some())
            })
            .collect();
        let admitted =
            threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|admitted| *admitted).count();
        assert_eq!(admitted, 1);
    }
}
