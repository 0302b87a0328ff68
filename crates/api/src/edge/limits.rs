//! How many requests one caller may make: counted per API key or agent once it has proved who it is, per address before that.

use std::{
    fmt::{self, Display},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use kernel::{Code, Error, Result, ports::RateDecision};

use crate::state::AppState;

const WINDOW_SECONDS: u32 = 60;

/// A quota, as the answer names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Policy {
    name: &'static str,
    quota: u32,
    window_seconds: u32,
}

/// In which attempts at signing up and logging in are counted.
const AUTH_WINDOW_SECONDS: u32 = 900;

/// Where whoever counted a request leaves what is left, for the answer's headers.
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

    /// Takes one of the few attempts at signing up or logging in that `subject` has in a quarter of an hour.
    ///
    /// # Errors
    /// [`Code::RateLimited`] when none is left.
    pub async fn take_auth(&self, state: &AppState, subject: impl Display + Send) -> Result<()> {
        let policy = Policy { name: "auth", quota: state.about.auth_rate_limit, window_seconds: AUTH_WINDOW_SECONDS };
        self.take_by(state, subject, policy).await
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
        let wait = Duration::from_secs(u64::from(decision.retry_after_seconds.max(1)));
        let detail =
            format!("More than {quota} requests in {window_seconds} seconds; try again in {} seconds", wait.as_secs());
        Err(Error::new(Code::RateLimited, detail).retry_after(wait))
    }

    /// Of two counts by one policy, the answer shows the one that leaves less.
    fn note(&self, policy: Policy, decision: RateDecision) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.iter_mut().find(|(noted, _)| noted.name == policy.name) {
            Some(noted) if noted.1.remaining < decision.remaining => {}
            Some(noted) => *noted = (policy, decision),
            None => counted.push((policy, decision)),
        }
    }

    /// Whether nobody has counted the request.
    fn is_fresh(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The fields of draft-ietf-httpapi-ratelimit-headers-11.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.is_empty() {
            return;
        }
        let list =
            |item: fn(&(Policy, RateDecision)) -> String| counted.iter().map(item).collect::<Vec<_>>().join(", ");
        let fields = [
            (
                "ratelimit-policy",
                list(|(policy, _)| format!("\"{}\";q={};w={}", policy.name, policy.quota, policy.window_seconds)),
            ),
            (
                "ratelimit",
                list(|(policy, left)| format!("\"{}\";r={};t={}", policy.name, left.remaining, left.reset_seconds)),
            ),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Counts by their address the requests that no principal is counted for. A principal's requests are not counted by address, since many may
/// share one.
pub(super) struct ByAddress {
    meter: Meter,
    address: Address,
    /// It brings credentials, and they are asked for: so it is counted for a principal, or, when they are refused, afterwards.
    is_proving: bool,
}

impl ByAddress {
    /// Of a request that is about to be answered, by a route that does or does not ask who it is: where it does not, no header spares
    /// the count before the work.
    pub(super) fn of(request: &Request, state: &AppState, asks: bool) -> Self {
        Self {
            meter: request.extensions().get::<Meter>().cloned().unwrap_or_default(),
            address: Address(client_address(request, state.about.trusted_proxy_depth)),
            is_proving: asks && has_credentials(request.headers()),
        }
    }

    /// # Errors
    /// [`Code::RateLimited`].
    pub(super) async fn before(&self, state: &AppState) -> Result<()> {
        if self.is_proving { Ok(()) } else { self.take(state).await }
    }

    /// # Errors
    /// [`Code::RateLimited`].
    pub(super) async fn after(&self, state: &AppState) -> Result<()> {
        if self.is_proving && self.meter.is_fresh() { self.take(state).await } else { Ok(()) }
    }

    async fn take(&self, state: &AppState) -> Result<()> {
        self.meter.take(state, self.address, state.about.rate_limit).await
    }
}

/// An address as it is counted.
#[derive(Clone, Copy)]
struct Address(IpAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ip:{}", self.0)
    }
}

fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("signature-input")
}

/// The address that connected, or, behind `depth` proxies of ours, the one that the outermost of them saw. An IPv6 client is known by its /64:
/// it has the addresses below at its disposal.
pub(super) fn client_address(request: &Request, depth: usize) -> IpAddr {
    let peer =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let told =
        depth.checked_sub(1).and_then(|skip| chain.iter().rev().nth(skip)).and_then(|address| address.parse().ok());
    match told.unwrap_or(peer).to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        v4 => v4,
    }
}
