//! Why there is no answer.
use std::{error::Error as StdError, net::IpAddr};

/// Why there is no answer, in words for whoever has typed the address. None holds the address itself: its query may
/// be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It leads where nobody may be led.
    #[error(
        "{host} leads to {address}, an address of this network: an administrator can allow the host, if that is meant"
    )]
    Refused {
        /// The host that was asked for.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
    /// The name is known to nobody.
    #[error("{0} cannot be found: no server for names knows an address of it")]
    Unknown(String),
    /// It is no address.
    #[error("this is no address of the web: it begins with https:// or http://")]
    NoAddress,
    /// Nobody could be connected to.
    #[error("no connection: {0}")]
    Connect(String),
    /// Its certificate is not trusted.
    #[error("its certificate is not trusted: {0}")]
    Certificate(String),
    /// It took too long.
    #[error("there was no answer in time")]
    TimedOut,
    /// It broke off.
    #[error("the connection broke off: {0}")]
    Broken(String),
    /// What came was no HTTP, or not in the encoding it said.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// It is larger than may be read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// It sends to somewhere else.
    #[error("it redirects to {0}, another origin: take that address, if that is meant")]
    Away(String),
    /// It sends around in circles.
    #[error("it redirects again and again")]
    Circles,
}

/// What the resolver refused; carried through the layers of the client as the cause of an error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct Carried(pub(super) Fault);

impl Fault {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        let mut words = Vec::new();
        while let Some(one) = cause {
            if let Some(carried) = one.downcast_ref::<Carried>() {
                return carried.0.clone();
            }
            if let Some(tls) = one.downcast_ref::<rustls::Error>() {
                return match tls {
                    rustls::Error::InvalidCertificate(_) => Self::Certificate(tls.to_string()),
                    other => Self::Connect(other.to_string()),
                };
            }
            if let Some(why) = one.downcast_ref::<std::io::Error>().and_then(not_believed) {
                return Self::Certificate(why);
            }
            // the outermost names the address
            if !one.is::<reqwest::Error>() {
                words.push(one.to_string());
            }
            cause = one.source();
        }
        words.dedup();
        let words = if words.is_empty() { "without a reason".into() } else { words.join(": ") };
        if error.is_connect() {
            if error.is_timeout() { Self::Connect("nobody answered in time".into()) } else { Self::Connect(words) }
        } else if error.is_timeout() {
            Self::TimedOut
        } else if error.is_decode() {
            // a body that ends too early is told as one that cannot be decoded
            let early = ["unexpected end", "incomplete", "reset", "closed", "eof"];
            let lower = words.to_ascii_lowercase();
            if early.iter().any(|word| lower.contains(word)) { Self::Broken(words) } else { Self::Unreadable(words) }
        } else if error.is_builder() {
            Self::NoAddress
        } else {
            Self::Broken(words)
        }
    }
}

/// Why a certificate was not believed, if that is what went wrong; errors of the socket are wrapped in such themselves.
fn not_believed(error: &std::io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<rustls::Error>() {
        Some(tls) => matches!(tls, rustls::Error::InvalidCertificate(_)).then(|| tls.to_string()),
        None => not_believed(inner.downcast_ref()?),
    }
}
