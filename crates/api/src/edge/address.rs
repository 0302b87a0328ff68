//! The address of a client.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

/// Returns the address that connected, or, behind `depth` proxies of ours, the one that the
/// outermost of them saw. An IPv6 client is known by its /64, since it can use every address in it.
pub(super) fn client_address(request: &Request, depth: usize) -> IpAddr {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let forwarded = request.headers().get_all("x-forwarded-for").iter();
    let forwarded = forwarded.filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let seen = depth.checked_sub(1).and_then(|skip| chain.iter().rev().nth(skip));
    let seen = seen.and_then(|address| address.parse().ok());
    match seen.unwrap_or(peer).to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        v4 => v4,
    }
}
