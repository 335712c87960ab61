//! What the other side says of an answer, so that it need not give it again: its `ETag`.
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};

use crate::crypto;

/// The longest `ETag` that is kept.
const LONGEST: usize = 1024;

/// The `ETag` of an answer that was read and stored whole, and which question it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validator {
    /// A digest of the address, its secret hidden.
    asked: String,
    etag: String,
}

fn digest(address: &str) -> String {
    crypto::base64url(&crypto::sha256(address.as_bytes()))
}

impl Validator {
    /// Of the headers of an answer; none when they hold no `ETag`.
    pub(super) fn of(address: &str, headers: &HeaderMap) -> Option<Self> {
        let etag = headers.get(ETAG)?.to_str().ok()?.trim();
        let known = (1..=LONGEST).contains(&etag.len());
        known.then(|| Self { asked: digest(address), etag: etag.to_owned() })
    }

    /// Asks for another answer than that one alone, if the question is the same.
    pub(super) fn ask(&self, address: &str, headers: &mut HeaderMap) {
        if self.asked == digest(address)
            && let Ok(etag) = HeaderValue::try_from(&self.etag)
        {
            headers.insert(IF_NONE_MATCH, etag);
        }
    }
}
