//! Which addresses are out in the world, and which hosts are allowed all the same.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use url::{Host, Url};

/// Hosts that may be gone to wherever they lead, `HOST` or `HOST:PORT`: those that the server was started with, and
/// those that administrators have allowed since. Cheap to clone; clones share what is granted.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    started_with: Arc<[String]>,
    granted: Arc<RwLock<Vec<String>>>,
}

impl Allowed {
    /// These.
    pub fn new(hosts: &[String]) -> Self {
        let named = hosts.iter().map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty());
        Self { started_with: named.collect(), granted: Arc::default() }
    }

    /// These beside those that it was made with, in small letters; what was granted before is no more.
    pub fn grant(&self, hosts: Vec<String>) {
        *self.granted.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    /// Those that it was made with.
    pub fn started_with(&self) -> &[String] {
        &self.started_with
    }

    /// Whether the host of `url` is one of them.
    pub fn holds(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let with_port = format!("{host}:{port}");
        let is_it = |allowed: &String| [host.as_str(), bare, with_port.as_str()].contains(&allowed.as_str());
        let granted = || self.granted.read().unwrap_or_else(PoisonError::into_inner).iter().any(is_it);
        self.started_with.iter().any(is_it) || granted()
    }
}

/// The address that a URL names itself, without a name to look up.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => IpAddr::from_str(name.trim_end_matches('.')).ok(),
    }
}

/// Whether an address is out in the world, as far as its registry says. What wraps an IPv4 address (mapped, NAT64,
/// 6to4, Teredo) is not: what it leads to is for a gateway to decide.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // shared by carriers, protocol assignments, 6to4 relays, benchmarks
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    // of all of IPv6, only this part is given out; and in it, some lead to IPv4 or nowhere
    (0x2000..0x4000).contains(&parts[0])
        && parts[0] != 0x2002
        && !(parts[0] == 0x2001 && (parts[1] < 0x0200 || parts[1] == 0x0db8))
        && !(parts[0] == 0x3fff && parts[1] < 0x1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_out_in_the_world_is_public() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "240.0.0.1",
            "224.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.0.0.8",
            "192.88.99.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:1.1.1.1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "64:ff9b::101:101",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1", "2a00:1450::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    proptest! {
        /// No IPv4 address is reached by being wrapped.
        #[test]
        fn wrapped_addresses_are_never_public(address in any::<u32>(), prefix in 0_usize..5) {
            let address = u128::from(address);
            let wrapped = match prefix {
                0 => 0xFFFF_0000_0000 | address,
                1 => address,
                2 => (0x64_u128 << 112) | (0xFF9B << 96) | address,
                3 => (0x2002_u128 << 112) | (address << 80),
                _ => (0x2001_u128 << 112) | address,
            };
            prop_assert!(!is_public(Ipv6Addr::from_bits(wrapped).into()));
        }
    }

    #[test]
    fn hosts_are_allowed_by_name_and_perhaps_port() {
        let allowed = Allowed::new(&["Hub.internal".into(), "127.0.0.1:81".into(), "::1".into()]);
        for (url, yes) in [
            ("http://hub.internal/", true),
            ("https://HUB.internal.:8443/", true),
            ("http://127.0.0.1:81/", true),
            ("http://0x7f.1:81/", true),
            ("http://127.0.0.1:82/", false),
            ("http://127.0.0.1/", false),
            ("http://[::1]:5/", true),
            ("http://x.hub.internal/", false),
        ] {
            assert_eq!(allowed.holds(&url.parse().unwrap()), yes, "{url}");
        }
        assert!(!Allowed::default().holds(&"http://localhost/".parse().unwrap()));
    }
}
