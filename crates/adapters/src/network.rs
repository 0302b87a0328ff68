//! The owners of addresses: those of the public internet, and those of our own private network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that belong to nobody on the public internet (IANA special-purpose address registry),
/// by address and prefix length.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast and the reserved range above it, up to broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// The only part of IPv6 that is handed out. Loopback, local and multicast addresses lie outside
/// it, and so do those that wrap an IPv4 address: mapped, compatible and NAT64.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The special parts of it: protocol assignments with Teredo, documentation, and 6to4, which wraps
/// an IPv4 address too.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Returns whether `address` belongs to somebody on the public internet. An address that might lead
/// back to a private network does not.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|(network, length)| within_v4(v4, *network, *length)),
        IpAddr::V6(v6) => {
            within_v6(v6, GLOBAL_V6.0, GLOBAL_V6.1)
                && !SPECIAL_V6.iter().any(|(network, length)| within_v6(v6, *network, *length))
        }
    }
}

fn within_v4(address: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0
}

fn within_v6(address: Ipv6Addr, network: Ipv6Addr, length: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0
}

/// Returns a warning for each of `hosts`, given with the variable that names it, that is not on a
/// private network: `*.railway.internal`, RFC 1918 and RFC 4193 addresses, loopback, or the path of
/// a Unix socket.
pub fn check_private(hosts: &[(&'static str, String)]) -> Vec<String> {
    let public = hosts.iter().filter(|(_, host)| !is_private(host));
    let warning = |(variable, host): &(&'static str, String)| {
        format!(
            "{variable} names the host `{host}`, which is not on a private network: its traffic may cross \
             the internet. Use its private name (on Railway `<service>.railway.internal`)."
        )
    };
    public.map(warning).collect()
}

/// Returns whether `host` is on a private network.
pub(crate) fn is_private(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => v4.is_private() || v4.is_loopback(),
        Ok(IpAddr::V6(v6)) => v6.is_unique_local() || v6.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".railway.internal") || host.starts_with('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_class() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "3fff:1000::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address} is public");
        }
        let refused = [
            ("unspecified", "0.0.0.0 0.1.2.3 ::"),
            ("private", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fd12:3456::1"),
            ("loopback", "127.0.0.1 127.255.255.254 ::1"),
            ("link-local", "169.254.169.254 fe80::1 febf::1"),
            ("site-local", "fec0::1"),
            ("carrier-grade NAT", "100.64.0.1 100.127.255.255"),
            ("multicast", "224.0.0.1 239.255.255.255 ff02::1"),
            ("reserved", "240.0.0.1 255.255.255.255"),
            ("benchmarks", "198.18.0.1 198.19.255.255"),
            ("documentation", "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1"),
            ("protocol assignments", "192.0.0.1 2001::1 2001:20::1"),
            ("IPv4-mapped", "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8"),
            ("IPv4-compatible", "::127.0.0.1 ::8.8.8.8"),
            ("NAT64", "64:ff9b::7f00:1 64:ff9b:1::1"),
            ("6to4", "2002:7f00:1:: 2002:a00:1:: 192.88.99.1"),
            ("discard", "100::1"),
        ];
        for (class, addresses) in refused {
            for address in addresses.split(' ') {
                assert!(!is_public(address.parse().unwrap()), "{address} is {class}");
            }
        }
    }

    #[test]
    fn hosts_outside_the_private_network_are_named_with_their_variable() {
        let private = [
            "postgres.railway.internal",
            "REDIS.Railway.Internal.",
            "10.1.2.3",
            "192.168.0.9",
            "[fd12::1]",
            "localhost",
            "127.0.0.1",
            "::1",
            "/var/run/postgresql",
        ];
        for host in private {
            assert_eq!(check_private(&[("DATABASE_URL", host.to_owned())]), Vec::<String>::new());
        }
        for host in [
            "db.example.com",
            "8.8.8.8",
            "railway.internal.example.com",
            "evilrailway.internal",
            "2606:4700::1",
        ] {
            let warnings =
                check_private(&[("DATABASE_URL", host.to_owned()), ("REDIS_URL", "::1".to_owned())]);
            assert_eq!(warnings.len(), 1);
            assert!(
                warnings[0].starts_with(&format!("DATABASE_URL names the host `{host}`")),
                "{warnings:?}"
            );
        }
    }
}
