//! The quotas of callers, and the fields of the response that report them.

use std::{
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Code, Error, Result, ports::RateDecision};

use crate::state::AppState;

/// The window of requests.
const WINDOW_SECONDS: u32 = 60;
/// The window of attempts at signing up and logging in.
const AUTH_WINDOW_SECONDS: u32 = 900;

/// A quota, as the response names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Policy {
    name: &'static str,
    quota: u32,
    window_seconds: u32,
}

/// Counts one request, and remembers what is left of each quota, for the response's headers.
/// Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<(Policy, RateDecision)>>>);

impl Meter {
    /// Takes one of the `quota` requests that `subject` may make in a minute; 0 for no limit.
    ///
    /// # Errors
    /// [`Code::RateLimited`] when none is left.
    pub async fn take(&self, state: &AppState, subject: impl Display + Send, quota: u32) -> Result<()> {
        self.take_by(state, subject, Policy { name: "default", quota, window_seconds: WINDOW_SECONDS }).await
    }

    /// Takes one of the few attempts at signing up or logging in that `subject` has in a quarter of
    /// an hour.
    ///
    /// # Errors
    /// [`Code::RateLimited`] when none is left.
    pub async fn take_auth(&self, state: &AppState, subject: impl Display + Send) -> Result<()> {
        let quota = state.about.auth_rate_limit;
        self.take_by(state, subject, Policy { name: "auth", quota, window_seconds: AUTH_WINDOW_SECONDS })
            .await
    }

    async fn take_by(&self, state: &AppState, subject: impl Display + Send, policy: Policy) -> Result<()> {
        let Policy { quota, window_seconds, .. } = policy;
        if quota == 0 {
            return Ok(());
        }
        let decision = state.limiter.take(&subject.to_string(), quota, window_seconds).await;
        self.note(policy, decision);
        if decision.allowed {
            return Ok(());
        }
        let wait = u64::from(decision.retry_after_seconds.max(1));
        let detail =
            format!("More than {quota} requests in {window_seconds} seconds; retry in {wait} seconds");
        Err(Error::new(Code::RateLimited, detail).retry_after(Duration::from_secs(wait)))
    }

    /// Notes a count. If one policy counts twice, the response shows the count that leaves less.
    fn note(&self, policy: Policy, decision: RateDecision) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.iter_mut().find(|(noted, _)| noted.name == policy.name) {
            Some(noted) if noted.1.remaining < decision.remaining => {}
            Some(noted) => *noted = (policy, decision),
            None => counted.push((policy, decision)),
        }
    }

    /// Returns whether nothing has counted the request yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Writes the fields of draft-ietf-httpapi-ratelimit-headers-11.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.is_empty() {
            return;
        }
        let mut insert = |name, items: Vec<String>| {
            if let Ok(value) = HeaderValue::from_str(&items.join(", ")) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        let policy = |(policy, _): &(Policy, RateDecision)| {
            format!("\"{}\";q={};w={}", policy.name, policy.quota, policy.window_seconds)
        };
        let left = |(policy, left): &(Policy, RateDecision)| {
            format!("\"{}\";r={};t={}", policy.name, left.remaining, left.reset_seconds)
        };
        insert("ratelimit-policy", counted.iter().map(policy).collect());
        insert("ratelimit", counted.iter().map(left).collect());
    }
}
