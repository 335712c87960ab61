//! The only way out: HTTP clients that are bounded in time and bytes and go where they are told, and nowhere else.
//!
//! [`Client`] is for addresses that people type: what they lead to is looked up, checked and pinned each time a
//! connection is made, so that nobody reaches by this server what only this server can reach; connections that are
//! kept lead where they were checked to lead. [`direct`] is for the one address that an operator gives a command.
mod address;
mod fault;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Method, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{self, HeaderMap},
    redirect::Policy,
};
use url::Url;

pub use address::{Allowed, is_public};
pub use fault::Fault;

use crate::{
    clock::Clock,
    crypto,
    error::{Error, Result},
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may keep silent.
const IDLE: Duration = Duration::from_mins(1);
/// How often an answer may send on.
const REDIRECTS: usize = 3;
/// Connections that are kept to one host, and for how long.
const KEPT: usize = 16;
const KEPT_FOR: Duration = Duration::from_secs(50);
/// For so many certificate authorities clients are kept.
const AUTHORITIES: usize = 64;

/// A client for an address that an operator has named: no redirects, no proxies out of the environment, and each
/// request ends within `timeout`.
///
/// # Errors
/// When the certificates of the system cannot be read.
pub fn direct(timeout: Duration) -> Result<reqwest::Client> {
    builder().timeout(timeout).build().map_err(Error::internal)
}

/// Reads the body of an answer, but no more than `most` bytes of it.
///
/// # Errors
/// When it breaks off.
pub async fn body(mut answer: reqwest::Response, most: usize) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == most {
            break;
        }
    }
    Ok(body)
}

/// The certificates in a PEM text; `None` when it holds none that can be read.
pub fn certificates(pem: &str) -> Option<Vec<reqwest::Certificate>> {
    let read = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).ok()?;
    let usable = !read.is_empty() && guarded().tls_certs_merge(read.clone()).build().is_ok();
    usable.then_some(read)
}

fn builder() -> reqwest::ClientBuilder {
    // one provider of cryptography for the whole process; that it is installed already is no fault
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::ClientBuilder::new()
        .user_agent(concat!("Tributary/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
}

fn guarded() -> reqwest::ClientBuilder {
    builder().read_timeout(IDLE).pool_max_idle_per_host(KEPT).pool_idle_timeout(KEPT_FOR)
}

/// Goes to addresses that people have typed. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    clock: Clock,
    allowed: Allowed,
    /// By the digest of the certificate authority that they trust beside those of the system, if there is one. Made
    /// when they are first needed.
    pairs: Arc<Mutex<HashMap<Option<[u8; 32]>, Pair>>>,
}

/// One client for the world, whose connections are checked, and one for the hosts that are allowed.
#[derive(Clone)]
struct Pair {
    checked: reqwest::Client,
    free: reqwest::Client,
}

impl Pair {
    fn new(ca: &[reqwest::Certificate]) -> reqwest::Result<Self> {
        let make = || {
            let builder = guarded();
            if ca.is_empty() { builder } else { builder.tls_certs_merge(ca.to_vec()) }
        };
        Ok(Self { checked: make().dns_resolver(Checked).build()?, free: make().build()? })
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// What is said beside it.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Option<Bytes>,
    /// In which time all of the answer must have come.
    pub within: Duration,
    /// A certificate authority of the other side's own, as PEM.
    pub ca: Option<String>,
}

impl Request {
    /// A question.
    pub fn get(url: Url, headers: HeaderMap, within: Duration) -> Self {
        Self { method: Method::GET, url, headers, body: None, within, ca: None }
    }

    /// Something to take.
    pub fn post(url: Url, headers: HeaderMap, body: impl Into<Bytes>, within: Duration) -> Self {
        Self { method: Method::POST, url, headers, body: Some(body.into()), within, ca: None }
    }
}

impl Client {
    /// One that may go to `allowed` hosts wherever they lead, and to all others where they are out in the world.
    pub fn new(allowed: Allowed, clock: Clock) -> Self {
        Self { clock, allowed, pairs: Arc::default() }
    }

    /// Which hosts inside this network it goes to.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// The clock that requests are timed by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Asks. A GET follows where it is sent within the same origin, three times at most; what else sends away is a
    /// fault of a GET and an answer of a POST.
    ///
    /// # Errors
    /// See [`Fault`]. A status is an answer, whatever it says.
    pub async fn send(&self, request: Request) -> Result<Answer, Fault> {
        let until = tokio::time::Instant::now() + request.within;
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let sent = tokio::time::timeout(left, self.once(&request, &url, left)).await;
            let response = sent.map_err(|_| Fault::TimedOut)??;
            let onward = [301, 302, 303, 307, 308].contains(&response.status().as_u16());
            let location = response.headers().get(header::LOCATION).filter(|_| onward && request.method == Method::GET);
            let Some(location) = location else { return Ok(Answer { url, response, read: 0 }) };
            let next = location.to_str().ok().and_then(|text| url.join(text).ok());
            let next = next.ok_or_else(|| Fault::Unreadable("it redirects to what is no address".into()))?;
            if next.origin() != url.origin() {
                return Err(Fault::Away(next.origin().ascii_serialization()));
            }
            url = next;
        }
        Err(Fault::Circles)
    }

    async fn once(&self, request: &Request, url: &Url, within: Duration) -> Result<Response, Fault> {
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(Fault::NoAddress);
        }
        let pair = self.pair(request.ca.as_deref())?;
        let client = if self.allowed.holds(url) {
            pair.free
        } else {
            // the resolver is asked for names only
            if let Some(address) = address::literal(url).filter(|address| !is_public(*address)) {
                let host = url.host_str().unwrap_or_default().to_owned();
                return Err(Fault::Refused { host, address });
            }
            pair.checked
        };
        let mut building = client.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        if let Some(body) = &request.body {
            building = building.body(body.clone());
        }
        building.timeout(within).send().await.map_err(|error| Fault::of(&error))
    }

    fn pair(&self, ca: Option<&str>) -> Result<Pair, Fault> {
        let digest = ca.map(|ca| crypto::sha256(ca.as_bytes()));
        let mut known = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = known.get(&digest) {
            return Ok(pair.clone());
        }
        let unreadable = |whose| Fault::Certificate(format!("the certificates of {whose} cannot be read"));
        let own = ca.map(|ca| certificates(ca).ok_or_else(|| unreadable("its own authority"))).transpose()?;
        let pair = Pair::new(&own.unwrap_or_default()).map_err(|_| unreadable("this system"))?;
        if known.len() >= AUTHORITIES {
            known.clear();
        }
        known.insert(digest, pair.clone());
        Ok(pair)
    }
}

/// Looks names up, and lets nothing pass that is not out in the world.
struct Checked;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found: Vec<_> = found.map_err(|_| fault::Carried(Fault::Unknown(host.clone())))?.collect();
            if found.is_empty() {
                return Err(fault::Carried(Fault::Unknown(host)).into());
            }
            // one that leads inside spoils all: whoever answers so is not to be trusted with the rest
            if let Some(inside) = found.iter().find(|address| !is_public(address.ip())) {
                return Err(fault::Carried(Fault::Refused { host, address: inside.ip() }).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// An answer, whose body is still to be read.
#[derive(Debug)]
pub struct Answer {
    url: Url,
    response: Response,
    read: u64,
}

impl Answer {
    /// Where it came from, after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece of its body, decoded; `most` is how much all of it may be.
    ///
    /// # Errors
    /// When it breaks off, is too large, or takes too long.
    pub async fn chunk(&mut self, most: u64) -> Result<Option<Bytes>, Fault> {
        let chunk = self.response.chunk().await.map_err(|error| Fault::of(&error))?;
        self.read += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.read > most { Err(Fault::TooLarge(most)) } else { Ok(chunk) }
    }

    /// How its body begins: `most` bytes at most, and what came before it broke off.
    pub async fn start(mut self, most: usize) -> Vec<u8> {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = self.chunk(u64::MAX).await {
            let room = most - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == most {
                break;
            }
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(allowed: &[&str]) -> Client {
        let allowed: Vec<_> = allowed.iter().map(|host| (*host).to_owned()).collect();
        Client::new(Allowed::new(&allowed), Clock::system())
    }

    async fn get(client: &Client, url: &str) -> Result<Answer, Fault> {
        client.send(Request::get(url.parse().unwrap(), HeaderMap::new(), Duration::from_secs(5))).await
    }

    #[tokio::test]
    async fn what_leads_inside_is_refused_however_it_is_written() {
        let client = client(&["localhost:81"]);
        for url in [
            "http://127.0.0.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "https://169.254.169.254/latest",
            "http://localhost/",
            "http://localhost:82/",
        ] {
            let answer = get(&client, url).await;
            assert!(matches!(answer, Err(Fault::Refused { .. })), "{url}: {answer:?}");
        }
        // allowed, and nobody is there
        let answer = get(&client, "http://localhost:81/").await;
        assert!(matches!(answer, Err(Fault::Connect(_))), "{answer:?}");
        let answer = get(&client, "ftp://localhost:81/").await;
        assert_eq!(answer.unwrap_err(), Fault::NoAddress);
    }

    /// The rule of the house: nobody else makes a client.
    #[test]
    fn there_is_no_other_way_out() {
        fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    if !path.ends_with("http_client") {
                        walk(&path, found);
                    }
                } else {
                    let text = std::fs::read_to_string(&path).unwrap_or_default();
                    let ways = ["reqwest::Client::", "reqwest::ClientBuilder", "reqwest::get(", "Client::builder()"];
                    let named = text.contains("use reqwest::Client;")
                        && ["Client::new", "Client::default", "Client::builder"].iter().any(|way| text.contains(way));
                    if named || ways.iter().any(|way| text.contains(way)) {
                        found.push(path.display().to_string());
                    }
                }
            }
        }
        let mut found = Vec::new();
        walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
        assert_eq!(found, Vec::<String>::new(), "go out through http_client");
    }
}
