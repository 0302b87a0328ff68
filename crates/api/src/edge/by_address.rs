//! The requests of callers who have not proved who they are, counted by their address.

use std::{
    fmt::{self, Display},
    net::IpAddr,
};

use axum::{
    extract::Request,
    http::{HeaderMap, header},
};
use kernel::Result;

use super::{address::client_address, meter::Meter};
use crate::state::AppState;

/// Counts by address the requests that no caller is counted for. A caller's requests are not
/// counted by address, since many callers may share one.
pub(super) struct ByAddress {
    meter: Meter,
    address: Address,
    /// True if the request brings credentials and the route asks for them. Then it is counted for a
    /// caller, or, if they are refused, afterward.
    is_proving: bool,
}

impl ByAddress {
    /// Describes a request to a route that asks who the caller is, or does not. If it does not, no
    /// header can avoid the count before the work.
    pub(super) fn of(request: &Request, state: &AppState, asks_who: bool) -> Self {
        Self {
            meter: request.extensions().get::<Meter>().cloned().unwrap_or_default(),
            address: Address(client_address(request, state.about.trusted_proxy_depth)),
            is_proving: asks_who && has_credentials(request.headers()),
        }
    }

    /// Counts before the work.
    ///
    /// # Errors
    /// [`Code::RateLimited`](kernel::Code::RateLimited).
    pub(super) async fn before(&self, state: &AppState) -> Result<()> {
        if self.is_proving { Ok(()) } else { self.take(state).await }
    }

    /// Counts after the work, if nothing has counted it yet.
    ///
    /// # Errors
    /// [`Code::RateLimited`](kernel::Code::RateLimited).
    pub(super) async fn after(&self, state: &AppState) -> Result<()> {
        if self.is_proving && self.meter.is_fresh() { self.take(state).await } else { Ok(()) }
    }

    async fn take(&self, state: &AppState) -> Result<()> {
        self.meter.take(state, self.address, state.about.rate_limit).await
    }
}

/// An address in the form that is counted.
#[derive(Clone, Copy)]
struct Address(IpAddr);

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ip:{}", self.0)
    }
}

fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("signature-input")
}
