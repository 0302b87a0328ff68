//! The guard between Holdfast and everything that may be absent, slow or frozen: one timeout, one
//! circuit breaker, one set of metrics and one health state for each dependency.
//!
//! Architecture invariant: only `Guarded<Driver>` implements a port for something remote, and only
//! it holds a driver. A frozen dependency therefore costs the calls under way one short timeout,
//! together, and later calls nothing: they are refused at once until a probe, which no request ever
//! waits for, has found the dependency back. An unconfigured dependency is a `Guarded` without a
//! driver: to its callers the same as one that is away.
//!
//! Metrics, labelled with `dependency`: `holdfast_dependency_calls_total` (also by `outcome`: `ok`,
//! `failed`, `timed_out`, `refused`), `holdfast_dependency_call_seconds`, and
//! `holdfast_dependency_up` (0 or 1).

mod breaker;
mod check;
mod driver;

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::breaker::{Breaker, Permit};
pub use self::check::{Check, Status};
pub(crate) use self::driver::{Driver, Failure};
use crate::backoff::Backoff;

/// The time between probes of a dependency that works: the latency `/health` shows, and a chance to
/// notice a freeze before a request does.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The time that the first check of a dependency's health waits for its first probe.
const FIRST_PROBE: Duration = Duration::from_millis(250);

/// A driver behind its breaker, or the absence of one. Cloning shares it.
pub(crate) struct Guarded<D>(Arc<Inner<D>>);

struct Inner<D> {
    driver: Option<D>,
    breaker: Breaker,
    /// The outcome of the latest probe, or of the call that opened the breaker; `None` before the
    /// first.
    latest: watch::Sender<Option<Result<Duration, Failure>>>,
}

impl<D> Clone for Guarded<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Driver> fmt::Debug for Guarded<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (&self.0.driver, self.is_up()) {
            (None, _) => "not configured",
            (_, true) => "up",
            (_, false) => "away",
        };
        write!(f, "Guarded({}, {state})", D::NAME)
    }
}

impl<D: Driver> Guarded<D> {
    /// Guards `driver`, or stands in for it when it is not configured. Refuses calls until
    /// [`keep`](Self::keep) has probed it.
    pub(crate) fn new(driver: Option<D>) -> Self {
        let windows = Backoff::new(Duration::from_secs(1), D::LONGEST_WINDOW);
        let breaker = Breaker::new(windows, D::PROBE_LIMIT, Instant::now());
        Self(Arc::new(Inner { driver, breaker, latest: watch::Sender::new(None) }))
    }

    /// Returns whether a call would be tried.
    pub(crate) fn is_up(&self) -> bool {
        self.0.driver.is_some() && self.0.breaker.is_closed()
    }

    /// Returns the driver itself, for what is not a call but lasts, such as a subscription.
    pub(crate) fn driver(&self) -> Option<&D> {
        self.0.driver.as_ref()
    }

    /// Does `work` with the driver. Returns `None` when it is not configured, is away, or fails.
    pub(crate) async fn call<'a, T, F>(&'a self, work: impl FnOnce(&'a D) -> F) -> Option<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let driver = self.0.driver.as_ref()?;
        let Some(permit) = self.0.breaker.admit_call() else {
            count::<D>("refused");
            return None;
        };
        let called = Instant::now();
        let outcome = within(D::CALL_LIMIT, work(driver)).await;
        match &outcome {
            Ok(_) => self.succeeded(driver, permit, called),
            Err(failure) => self.failed(driver, permit, called, failure),
        }
        outcome.ok()
    }

    /// Probes the dependency for as long as the process lives: each second while it is up, at the
    /// end of each window while it is away.
    pub(crate) async fn keep(self, stop: CancellationToken) {
        let Some(driver) = &self.0.driver else { return };
        let probing = async {
            loop {
                self.probe(driver).await;
                let wait = match self.0.breaker.reopens_at() {
                    Some(at) => at.saturating_duration_since(Instant::now()),
                    None => PROBE_INTERVAL,
                };
                tokio::time::sleep(wait).await;
            }
        };
        stop.run_until_cancelled(probing).await;
    }

    async fn probe(&self, driver: &D) {
        let started = Instant::now();
        let Some(permit) = self.0.breaker.admit_probe(started) else { return };
        match within(D::PROBE_LIMIT, driver.probe()).await {
            Ok(()) => {
                self.succeeded(driver, permit, started);
                if self.is_up() {
                    self.0.latest.send_replace(Some(Ok(started.elapsed())));
                }
            }
            Err(failure) => {
                self.failed(driver, permit, started, &failure);
                self.0.latest.send_replace(Some(Err(failure)));
            }
        }
    }

    fn succeeded(&self, _: &D, permit: Permit, called: Instant) {
        measure::<D>("ok", called);
        if self.0.breaker.succeeded(permit, Instant::now()) {
            tracing::info!(dependency = D::NAME, "reached");
            up::<D>(1.0);
        }
    }

    fn failed(&self, driver: &D, permit: Permit, called: Instant, failure: &Failure) {
        measure::<D>(failure.outcome(), called);
        let lost = self.0.breaker.failed(permit, Instant::now());
        if lost || self.0.latest.borrow().is_none() {
            tracing::warn!(
                dependency = D::NAME,
                reason = %failure,
                "away: doing without it until it answers"
            );
            self.0.latest.send_replace(Some(Err(failure.clone())));
        } else {
            tracing::debug!(dependency = D::NAME, reason = %failure, "still away");
        }
        if !self.is_up() {
            up::<D>(0.0);
            driver.reset();
        }
    }

    /// Returns what the latest probe or failed call found. Waits only for the very first probe, and
    /// shortly.
    pub(crate) async fn check(&self) -> Check {
        if self.0.driver.is_none() {
            return Check::disabled();
        }
        let mut latest = self.0.latest.subscribe();
        let _ = tokio::time::timeout(FIRST_PROBE, latest.wait_for(Option::is_some)).await;
        let latest = latest.borrow().clone();
        match latest {
            Some(Ok(latency)) => Check::ok(latency),
            Some(Err(failure)) => Check::error(failure.detail()),
            None => Check::error("has not answered yet".to_owned()),
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::TimedOut(limit)),
    }
}

fn count<D: Driver>(outcome: &'static str) {
    metrics::counter!("holdfast_dependency_calls_total", "dependency" => D::NAME, "outcome" => outcome)
        .increment(1);
}

fn measure<D: Driver>(outcome: &'static str, called: Instant) {
    count::<D>(outcome);
    metrics::histogram!("holdfast_dependency_call_seconds", "dependency" => D::NAME).record(called.elapsed());
}

fn up<D: Driver>(value: f64) {
    metrics::gauge!("holdfast_dependency_up", "dependency" => D::NAME).set(value);
}

#[cfg(test)]
mod tests;
