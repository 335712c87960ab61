//! Hosts that are asked and told: how much of each at once, and which of this network may be at all. An address that
//! somebody has typed leads to nothing inside this network, unless the server was started with its host or an
//! administrator has allowed it here.
mod pages;
pub mod store;

use std::{fmt, str::FromStr, time::Duration};

use url::Url;

use crate::{app::App, ingest::directory::Directory};
pub use pages::routes;
pub use store::{Asked, Granted};

/// How long to wait before they are read again, when they could not be.
const AGAIN: Duration = Duration::from_secs(1);

/// `HOST` or `HOST:PORT`, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NONE: &str = "type a host, perhaps with a port: erp.internal, or 10.0.0.7:8080";
        let text = text.trim().to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        if !text.chars().all(plain) {
            return Err(NONE);
        }
        // what a URL takes apart in the same way, whatever else is in it
        let url = Url::parse(&format!("http://{text}")).map_err(|_| NONE)?;
        let port = text.rsplit_once(':').filter(|(before, _)| !before.ends_with(':') && !text.ends_with(']'));
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NONE)?;
        let named = match port {
            Some((_, port)) => format!("{host}:{}", port.parse::<u16>().map_err(|_| NONE)?),
            None => host.to_owned(),
        };
        if named == text { Ok(Self(named)) } else { Err(NONE) }
    }
}

/// Keeps what the server may ask up to date, until it stops: whenever the directory has noticed that something of the
/// configuration has changed.
pub async fn run(app: App, directory: Directory) {
    let mut changes = directory.changes();
    // what has changed since the start is read too
    changes.mark_changed();
    while let Some(Ok(())) = app.stopping.run_until_cancelled(changes.changed()).await {
        match store::names(&app.db).await {
            Ok(hosts) => app.client.allowed().grant(hosts),
            Err(error) => {
                tracing::error!(%error, "the hosts that are allowed cannot be read; trying again");
                changes.mark_changed();
                app.stopping.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn a_host_is_a_host_and_nothing_more() {
        for (text, expected) in [
            ("erp.internal", "erp.internal"),
            (" ERP.internal:8080 ", "erp.internal:8080"),
            ("10.0.0.7", "10.0.0.7"),
            ("localhost:80", "localhost:80"),
            ("[::1]", "[::1]"),
            ("[fd00::7]:8080", "[fd00::7]:8080"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().as_str(), expected);
        }
        for text in [
            "",
            "http://erp.internal",
            "erp.internal/x",
            "a@b",
            "erp.internal:",
            "erp.internal:99999",
            "a b",
            "*",
            "::1",
            "10.7",
        ] {
            // what is written another way than it is looked up by would allow nothing
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }
}
