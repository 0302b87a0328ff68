//! How many requests one caller may make: counted per API key or agent once it has proved who it is, per address before that.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Code, Error, Result, ports::RateDecision};

use crate::{problem::Problem, state::AppState};

const WINDOW_SECONDS: u32 = 60;

/// Where whoever counted a request leaves what is left, for the answer's headers.
#[derive(Clone, Default)]
pub struct Meter(Arc<OnceLock<(u32, RateDecision)>>);

impl Meter {
    /// Takes one of the `quota` requests that `subject` may make in a minute; 0 for no limit.
    ///
    /// # Errors
    /// [`Code::RateLimited`] when none is left.
    pub async fn take(&self, state: &AppState, subject: &str, quota: u32) -> Result<()> {
        if quota == 0 {
            return Ok(());
        }
        let decision = state.limiter.take(subject, quota, WINDOW_SECONDS).await;
        // A request that was counted twice shows the first count: that of who it came from.
        let _ = self.0.set((quota, decision));
        if decision.allowed {
            return Ok(());
        }
        let wait = Duration::from_secs(u64::from(decision.retry_after_seconds.max(1)));
        let detail =
            format!("More than {quota} requests in {WINDOW_SECONDS} seconds; wait as long as `Retry-After` says");
        Err(Error::new(Code::RateLimited, detail).retry_after(wait))
    }

    /// Whether nobody has counted the request.
    fn is_fresh(&self) -> bool {
        self.0.get().is_none()
    }

    /// The fields of draft-ietf-httpapi-ratelimit-headers-11.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Some((quota, decision)) = self.0.get() else { return };
        let fields = [
            ("ratelimit-policy", format!("\"default\";q={quota};w={WINDOW_SECONDS}")),
            ("ratelimit", format!("\"default\";r={};t={}", decision.remaining, decision.reset_seconds)),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Counts by their address the requests that bring no credentials, and those that were not counted for a principal: their credentials were
/// refused, or nothing asked for them. A principal's requests are not counted by address, since many may share one. `/health` is never refused.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/health") {
        return next.run(request).await;
    }
    let meter = request.extensions().get::<Meter>().cloned().unwrap_or_default();
    let address = format!("ip:{}", client_address(&request, state.about.trusted_proxy_depth));
    if !has_credentials(request.headers()) {
        return match meter.take(&state, &address, state.about.rate_limit).await {
            Ok(()) => next.run(request).await,
            Err(error) => Problem::from(error).into_response(),
        };
    }
    let response = next.run(request).await;
    if meter.is_fresh()
        && let Err(error) = meter.take(&state, &address, state.about.rate_limit).await
    {
        return Problem::from(error).into_response();
    }
    response
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
