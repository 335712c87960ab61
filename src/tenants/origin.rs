//! The origin of a web page, as browsers write it in the `Origin` header.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// `scheme://host[:port]`, normalised, so that comparing texts compares origins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

/// The most origins that a tenant may list.
pub const MOST: usize = 50;

impl Origin {
    /// As the `Origin` header has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a list of them, one a line; empty lines and repeats are dropped.
    ///
    /// # Errors
    /// Says which line is none.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, String> {
        let mut origins = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let origin = line.parse().map_err(|why| format!("“{line}”: {why}"))?;
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        if origins.len() > MOST {
            return Err(format!("a tenant has at most {MOST} origins"));
        }
        Ok(origins)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "an origin is written https://shop.example.com, with a port where there is one";
        let text = text.trim();
        if text.contains('*') {
            return Err("name each origin: a star would let every page on the web post events".into());
        }
        let url = Url::parse(text).map_err(|_| FORM.to_owned())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("only http and https pages send events".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an origin holds no name and no password".into());
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("an origin ends with the host or its port: leave out the path".into());
        }
        if !matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_))) {
            return Err(FORM.into());
        }
        // drops the port that its scheme has by default
        Ok(Self(url.origin().ascii_serialization()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalised_to_what_browsers_send() {
        for (text, origin) in [
            ("https://Shop.Example.com", "https://shop.example.com"),
            ("https://shop.example.com/", "https://shop.example.com"),
            ("https://shop.example.com:443", "https://shop.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
            (" http://[::1]:3000 ", "http://[::1]:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), origin, "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "*",
            "https://*.example.com",
            "null",
            "shop.example.com",
            "ftp://example.com",
            "https://example.com/path",
            "https://example.com/?q",
            "https://example.com#x",
            "https://me@example.com",
            "https://",
            "file:///etc",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn lines_are_read_and_repeats_dropped() {
        let origins = Origin::parse_lines("https://a.example\n\n  https://A.example:443 \nhttps://b.example").unwrap();
        assert_eq!(origins.iter().map(Origin::as_str).collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
        assert!(Origin::parse_lines("https://a.example\nb").unwrap_err().starts_with("“b”: "));
    }
}
