//! The only way out: HTTP clients that are bounded in time and go where they are told, and nowhere else.
pub mod guarded;

use std::time::Duration;

use reqwest::{Client, redirect::Policy};

use crate::error::{Error, Result};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for an address that an operator has named: no redirects, no proxies out of the environment, and each
/// request ends within `timeout`.
///
/// # Errors
/// When the certificates of the system cannot be read.
pub fn direct(timeout: Duration) -> Result<Client> {
    // one provider of cryptography for the whole process; that it is installed already is no fault
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::ClientBuilder::new()
        .user_agent(concat!("tributary/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .build()
        .map_err(Error::internal)
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
