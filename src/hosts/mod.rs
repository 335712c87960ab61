//! Hosts that are asked and told: how much of each at once, and which of this network may be at all. An address that
//! somebody has typed leads to nothing inside this network, unless the server was started with its host or an
//! administrator has allowed it here.
mod pages;
pub mod store;

use std::{fmt, str::FromStr, time::Duration};

use url::Url;

use crate::{app::App, error::Result};
pub use pages::routes;
pub use store::{Asked, Granted};

/// How often the server looks whether somebody has allowed a host, or withdrawn that.
const LOOK: Duration = Duration::from_millis(500);

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

/// Keeps what the server may ask up to date, until it stops.
pub async fn run(app: App) {
    let mut known = None;
    let mut away = false;
    loop {
        match refresh(&app, &mut known).await {
            Ok(()) => away = false,
            Err(error) if !away => {
                away = true;
                tracing::error!(%error, "the hosts that are allowed cannot be read");
            }
            Err(_) => {}
        }
        if app.stopping.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

/// Reads them again if anything has changed since `known`.
async fn refresh(app: &App, known: &mut Option<i64>) -> Result<()> {
    let version = store::version(&app.db).await?;
    if *known != Some(version) {
        app.client.allowed().grant(store::names(&app.db).await?);
        *known = Some(version);
    }
    Ok(())
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
            assert!(text.parse::<Host>().is_err() || text == "*", "{text}");
        }
    }
}
