//! Requests to addresses that a person has typed: what they lead to is looked up, checked and pinned, so that nobody
//! reaches by this server what only this server can reach. No redirect is followed.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::{header::HeaderMap, redirect::Policy};
use url::{Host, Url};

use super::body;

/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no answer, in words for whoever has typed the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It leads where nobody may be led.
    #[error(
        "{0} leads to {1}, an address of this network: start the server with --allow-outbound {0} if that is meant"
    )]
    Refused(String, IpAddr),
    /// The name is known to nobody.
    #[error("{0} cannot be found: {1}")]
    Unknown(String, String),
    /// It is no address.
    #[error("this is no address of the web")]
    NoAddress,
    /// It took too long.
    #[error("there was no answer in time")]
    TimedOut,
    /// It broke off.
    #[error("the connection failed: {0}")]
    Broken(String),
}

/// An answer: its status, and as much of its body as was asked for.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How the body begins.
    pub body: Vec<u8>,
}

/// Posts to an address: all within `time`, and no more than `most` bytes of the answer are read.
///
/// # Errors
/// See [`Fault`].
pub async fn post(
    allowed: &[String],
    url: &Url,
    headers: HeaderMap,
    content: String,
    time: Duration,
    most: usize,
) -> Result<Answer, Fault> {
    let sent = async {
        let (host, addresses) = resolve(allowed, url).await?;
        // one provider of cryptography for the whole process; that it is installed already is no fault
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::ClientBuilder::new()
            .user_agent(concat!("Tributary/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(time)
            .resolve_to_addrs(&host, &addresses)
            .build()
            .map_err(|error| Fault::Broken(chain(&error)))?;
        let answer = client.post(url.clone()).headers(headers).body(content).send().await;
        let answer = answer.map_err(|error| broken(&error))?;
        let status = answer.status().as_u16();
        // the status is the answer: that the rest breaks off changes nothing
        Ok(Answer { status, body: body(answer, most).await.unwrap_or_default() })
    };
    tokio::time::timeout(time, sent).await.unwrap_or(Err(Fault::TimedOut))
}

/// What a host leads to, when every address of it may be gone to.
async fn resolve(allowed: &[String], url: &Url) -> Result<(String, Vec<SocketAddr>), Fault> {
    let port = url.port_or_known_default().ok_or(Fault::NoAddress)?;
    let (name, addresses) = match url.host().ok_or(Fault::NoAddress)? {
        Host::Ipv4(address) => (address.to_string(), vec![SocketAddr::new(address.into(), port)]),
        Host::Ipv6(address) => (format!("[{address}]"), vec![SocketAddr::new(address.into(), port)]),
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name, port)).await;
            let found = found.map_err(|error| Fault::Unknown(name.to_owned(), error.to_string()))?;
            (name.to_owned(), found.collect::<Vec<_>>())
        }
    };
    if addresses.is_empty() {
        return Err(Fault::Unknown(name, "it has no address".into()));
    }
    let is_allowed = allowed
        .iter()
        .any(|one| one.eq_ignore_ascii_case(&name) || one.eq_ignore_ascii_case(&format!("{name}:{port}")));
    if !is_allowed && let Some(bad) = addresses.iter().find(|address| !is_public(address.ip())) {
        return Err(Fault::Refused(name, bad.ip()));
    }
    Ok((name, addresses))
}

/// Whether an address is out in the world, as far as its registry says.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
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

fn broken(error: &reqwest::Error) -> Fault {
    if error.is_timeout() { Fault::TimedOut } else { Fault::Broken(chain(error)) }
}

/// An error with its causes, without the address: it may hold a secret.
fn chain(error: &dyn std::error::Error) -> String {
    let (mut words, mut cause) = (Vec::new(), error.source());
    while let Some(one) = cause {
        words.push(one.to_string());
        cause = one.source();
    }
    if words.is_empty() { "it could not be sent".into() } else { words.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_out_in_the_world_may_be_gone_to() {
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
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1", "2a00:1450::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn what_leads_inside_is_refused_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://localhost/",
        ] {
            let answer = post(&[], &url.parse().unwrap(), HeaderMap::new(), String::new(), CONNECT, 10).await;
            assert!(matches!(answer, Err(Fault::Refused(..))), "{url}: {answer:?}");
        }
        let allowed = resolve(&["LOCALHOST:81".into()], &"http://localhost:81/".parse().unwrap()).await;
        assert!(allowed.is_ok());
        assert!(resolve(&["localhost:81".into()], &"http://localhost:82/".parse().unwrap()).await.is_err());
    }
}
