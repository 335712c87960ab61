//! Whose request this is, by its network address. Only a proxy that the settings trust may speak for another.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{extract::ConnectInfo, http::request::Parts};
use ipnet::IpNet;

use crate::config::Settings;

/// The address of the client: of the peer, or, when that is a trusted proxy, the right-most address of
/// `X-Forwarded-For` that is not a trusted proxy too. What stands to the left of it the client may have made up.
///
/// An IPv4 address written as IPv6 is answered as IPv4. Without a peer (a test that has no connection) it is
/// 0.0.0.0.
pub fn client_address(parts: &Parts, settings: &Settings) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
    let forwarded = parts.headers.get_all("x-forwarded-for");
    // several headers are one list, in their order
    let listed: Vec<&str> =
        forwarded.iter().flat_map(|value| value.to_str().unwrap_or("?").split(',')).map(str::trim).collect();
    behind_proxies(peer, &listed, &settings.trusted_proxy)
}

fn behind_proxies(peer: IpAddr, listed: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut address = peer;
    for entry in listed.iter().rev() {
        if !trusted.iter().any(|network| network.contains(&address)) {
            break;
        }
        // what cannot be read was not written by a proxy that knows its client: the proxy itself has to answer
        let Some(next) = read(entry) else { break };
        address = next;
    }
    address
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn read(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, listed: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().expect("a network")).collect();
        behind_proxies(peer.parse::<IpAddr>().expect("an address").to_canonical(), listed, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_speak_for_another() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_right_most_untrusted_address_counts() {
        let trusted = &["10.0.0.0/8", "fd00::/8"];
        let cases: [(&[&str], &str); 9] = [
            (&[], "10.0.0.1"),
            (&["198.51.100.1"], "198.51.100.1"),
            (&["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            (&["6.6.6.6", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            (&["10.9.9.9", "10.0.0.2"], "10.9.9.9"),
            (&["198.51.100.1", "nonsense"], "10.0.0.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db8::1]:4711", "fd00::5"], "2001:db8::1"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
        ];
        for (listed, expected) in cases {
            assert_eq!(client("10.0.0.1", listed, trusted), expected, "{listed:?}");
        }
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1"], trusted), "198.51.100.1");
    }

    #[test]
    fn several_headers_are_one_list() {
        let settings = super::super::testing::settings(&["--trusted-proxy", "10.0.0.0/8"]);
        let peer: SocketAddr = "10.0.0.1:9".parse().expect("an address");
        let request = axum::http::Request::builder()
            .header("x-forwarded-for", "6.6.6.6")
            .header("X-Forwarded-For", "198.51.100.1, 10.0.0.2")
            .extension(ConnectInfo(peer))
            .body(())
            .expect("a request");
        let (parts, ()) = request.into_parts();
        assert_eq!(client_address(&parts, &settings).to_string(), "198.51.100.1");
    }
}
